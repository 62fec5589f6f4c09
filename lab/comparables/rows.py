"""The rows by name, in the order of the table."""

from .animate_anyone import AnimateAnyone
from .champ import Champ
from .disco import DisCo
from .magic_animate import MagicAnimate
from .mimic_motion import MimicMotion
from .mraa import MRAA
from .ours import Ours
from .paper import Paper
from .uni_animate import UniAnimate

ROWS = {"ours": Ours, "paper": Paper, "mraa": MRAA, "disco": DisCo, "magic_animate": MagicAnimate,
        "animate_anyone": AnimateAnyone, "champ": Champ, "uni_animate": UniAnimate, "mimic_motion": MimicMotion}
