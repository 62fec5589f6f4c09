"""The lab's command line: how the embedded model is made and measured.

    python -m lab train ...             train a stage, prepare what it learns from, try ablations (needs torch)
    python -m lab export ...            trained weights -> a pack
    python -m lab score ...             measure packs on held-out clips; --estimate: how well performers are found
    python -m lab clips ...             render clips of Blender's world (in a bpy's Python; `build.py clips` brings the
                                        data)
    python -m lab seams ...             measure the seams of long shots that are made in parts
    python -m lab situations ...        difficult references, before the body surface and now: a sheet
"""

import importlib
import sys

COMMANDS = {"train": "training.command", "export": "export", "score": "evaluation.score", "clips": "clips.checkout",
            "seams": "evaluation.seams", "situations": "evaluation.situations"}


def main(arguments: list[str]) -> int:
    name, rest = (arguments or [""])[0], arguments[1:]
    if name not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    room = COMMANDS[name]
    if name == "score" and rest[:1] == ["--estimate"]:
        room, rest = "evaluation.estimate_score", rest[1:]
    return importlib.import_module(f"lab.{room}").main(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
