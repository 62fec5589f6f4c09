"""The rows' names -> what the table calls them, and whether they paint into the plate; without torch, for tables.

The first one is what all others are compared with."""

TITLES = {"ours": "full", "paper": "the paper's parts", "mraa": "idea of MRAA", "disco": "idea of DisCo",
          "magic_animate": "idea of MagicAnimate", "animate_anyone": "idea of Animate Anyone", "champ": "idea of Champ",
          "uni_animate": "idea of UniAnimate", "mimic_motion": "idea of MimicMotion"}
IN_THE_PLATE = ("ours", "paper", "disco")
