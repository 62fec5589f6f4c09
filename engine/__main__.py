"""The engine's command line.

    python -m engine serve                  answer the add-on: one JSON object per line on stdin and stdout
    python -m engine run JOB                generate the frames of a job folder (finished frames stay); --part K, K-L
                                            or K- makes one or some parts of a long shot, in JOB/parts
    python -m engine parts JOB              print the parts of a shot, as JSON
    python -m engine assemble JOB           bring the frames of all parts together, and print the seams, as JSON
    python -m engine deliver JOB --form exr write the layers of a finished job to its output/
    python -m engine preview JOB            write the conditions of a job folder to its preview/
    python -m engine check JOB              read a job folder and all its files
    python -m engine joints PICTURE         print the joints of the person in a picture, as JSON
    python -m engine people PICTURE         print a box around everybody in a picture, as JSON
    python -m engine subject JOB            find the person in a job's reference and store the result in the job,
                                            for an engine that cannot look for people
    python -m engine surface JOB            write the posed surface of a job's character to its surface/
    python -m engine estimate VIDEO -o JOB  make a job folder with pose and mask from the performer in a video;
                                            without VIDEO, the footage is in the job's source/
    python -m engine manifest FOLDER        write the manifest of a pack again; its weights do not change
    python -m engine adopt FOLDER           write the manifest of a downloaded folder of weights (docs/engines.md)
    python -m engine convert FOLDER -o PACK make a pack for the engine sd15-aa2 of public weights of the Animate Anyone
                                            family (needs torch, diffusers and transformers)
    python -m engine verify FOLDER          check every byte of a pack, whatever an earlier check found
    python -m lab train ... | export ...    make a pack (needs torch)
    python -m lab score ...                 measure a pack on held-out clips

Exit codes: 0 done; 1 failed (the reason is on stderr); 2 the command line is wrong; 4 the engine could not start, for
example without weights; 130 interrupted (finished frames stay). `serve` ends with 2 if it could not start.
"""

import argparse
import functools
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from .contract import files, job_log, json_reader, messages, telling
from .contract.errors import JobError
from .contract.picture_file import Unreadable, open_regular

WRONG, NOT_STARTED = 2, 4  # exit codes
COPIES = "AA2_COPIES"    # environment variable: the folder for copies (door/copies.py); the add-on sets it on Windows


def main(arguments=None) -> int:
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(arguments)
    if options.command == "manifest":
        from .packs.renewal import main as renew
        return renew([options.subject])
    if options.command == "adopt":
        from .engines.wan.adoption import main as adopt
        return adopt([options.subject, *(["--name", options.name] if options.name else [])])
    if options.command == "convert":
        from .engines.sd15.conversion import main as convert
        return convert(options)
    if options.command == "verify":
        return _verify(options)
    if options.command == "parts":
        return _print_parts(options)
    return _serve(options) if options.command == "serve" else _once(options)


def _parser():
    parser = argparse.ArgumentParser(prog="engine", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, subject in (("serve", None), ("run", "JOB"), ("preview", "JOB"), ("check", "JOB"), ("joints", "PICTURE"),
                          ("people", "PICTURE"), ("subject", "JOB"), ("surface", "JOB"), ("parts", "JOB"),
                          ("assemble", "JOB"), ("deliver", "JOB")):
        command = commands.add_parser(name)
        if subject:
            command.add_argument("subject", metavar=subject)
            command.add_argument("--progress", choices=telling.KINDS, default=telling.KINDS[0],
                                 help="lines for people on stderr, or for programs on stdout")
        if name in ("serve", "run", "assemble", "parts", "preview", "check"):
            command.add_argument("--pack", help="folder of weights (default: the embedded ones)")
            command.add_argument("--runtime", help="onnxruntime or pytorch; for sd15-aa2 cuda, mps or cpu (default: "
                                                   "the first that is there)")
            command.add_argument("--threads", type=int, help="default: one for each core")
        if name == "run":
            command.add_argument("--part", type=_parts, metavar="K[-[L]]",
                                 help="make only this part (1, 2 ...) of a long shot; K-L and K- mean those of "
                                      "these parts that the shot has")
        if name == "deliver":
            command.add_argument("--form", choices=files.FORMS, default="png8", help="default: png8")
            command.add_argument("--layers", nargs="+", choices=files.DELIVERED, default=files.DELIVERED,
                                 help="default: all")
    _add_estimate(commands.add_parser("estimate"))
    for name in ("manifest", "verify"):
        commands.add_parser(name).add_argument("subject", metavar="FOLDER")
    adopted = commands.add_parser("adopt")
    adopted.add_argument("subject", metavar="FOLDER")
    adopted.add_argument("--name")
    _add_convert(commands.add_parser("convert"))
    return parser


def _add_estimate(command) -> None:
    command.add_argument("video", metavar="VIDEO", nargs="?",
                         help="a movie, or a folder of pictures (default: JOB's own source/)")
    command.add_argument("--progress", choices=telling.KINDS, default=telling.KINDS[0],
                         help="lines for people on stderr, or for programs on stdout")
    command.add_argument("-o", dest="subject", metavar="JOB", required=True, help="the job folder to make or complete")
    command.add_argument("--frame", type=int, default=1, help="the frame that --box is drawn in")
    command.add_argument("--box", type=_box, metavar="L,T,R,B",
                         help="pixels around the performer (default: the largest person)")
    command.add_argument("--mask", help="movie or folder of pictures in which the performer is white")
    command.add_argument("--mask-use", choices=("choose", "join", "override"), default="join",
                         help="choose: --mask only says who the performer is; join: it joins the mask that is found;"
                         " override: it is the mask")
    command.add_argument("--no-hands", dest="hands", action="store_false",
                         help="leave out hands and face, which is faster")
    command.add_argument("--clean", action="store_true", help="also write clean/, the plate without the performer")
    command.add_argument("--depth-model", metavar="FILE",
                         help="an ONNX file of Depth Anything: V2 Small, or 3 Small, Base, Mono Large or Metric Large; "
                              "the other sizes must not be used commercially (CC BY-NC 4.0)")
    command.add_argument("--reference", metavar="FILE", help="the character's picture, copied into JOB")


def _add_convert(command) -> None:
    command.add_argument("subject", metavar="FOLDER", type=Path,
                         help="with reference_unet.pth, denoising_unet.pth, motion_module.pth and pose_guider.pth")
    command.add_argument("--vae", type=Path, required=True, metavar="FOLDER", help="in diffusers' layout")
    command.add_argument("--image-encoder", type=Path, required=True, metavar="FOLDER", help="in transformers' layout")
    command.add_argument("-o", dest="pack", type=Path, required=True, metavar="PACK", help="the folder to write")


def _box(text):
    left, top, right, bottom = map(float, text.split(","))
    return left, top, right, bottom


def _parts(text: str) -> tuple[int, int | None, bool]:
    """(the first part, the last, None for all from there, whether it is a range)."""
    first, is_range, last = text.partition("-")
    parts = int(first), int(last) if last else None if is_range else int(first), bool(is_range)
    if parts[0] < 1 or parts[1] is not None and parts[1] < parts[0]:
        raise argparse.ArgumentTypeError(f"expected K, K-L or K- with 1 <= K <= L, got {text}")
    return parts


def _requests(options) -> list:
    """The requests that the command line makes, checked like requests from the wire; raises JobError."""
    requests = [messages.request(messages.to_json(asked)) for asked in _asked(options)]
    if getattr(options, "reference", None):
        _copy_reference(options.reference, options.subject)
    return requests


def _asked(options) -> list:
    kinds = {"preview": messages.Preview, "check": messages.Check, "joints": messages.FindJoints,
             "people": messages.FindPeople, "subject": messages.FindSubject, "surface": messages.Surface,
             "assemble": messages.Assemble}
    if options.command == "run":
        return [messages.Run(options.subject, options.part[0] if options.part else None)]
    if options.command == "deliver":
        return [messages.Deliver(options.subject, options.form, tuple(options.layers))]
    if options.command in kinds:
        return [kinds[options.command](options.subject)]
    return [messages.Estimate(options.subject, options.video, options.frame, options.box, options.mask,
                              options.mask_use, options.hands, options.clean, options.depth_model)]


def _copy_reference(path, folder) -> None:
    try:
        with open_regular(path) as file:
            picture = file.read()
    except Unreadable as why:
        code = "reference_missing" if why.kind == "missing" else "reference_unreadable"
        raise JobError(code, why.message, "Choose a picture that shows the whole character.") from None
    files.refuse_links(folder)
    files.write_whole(files.path(folder, files.REFERENCE), picture)


def _serve(options) -> int:
    if COPIES in os.environ:
        copied = _from_copies(Path(os.environ[COPIES]))
        options.pack = options.pack or copied
    from .door.serve import claim_stdout, serve
    stdout = claim_stdout()
    _log_to_stderr(logging.INFO)
    return serve(lambda: _open(options), stdout)


def _from_copies(folder: Path) -> Path | None:
    """From now on, load libraries from copies in this folder; returns the copied pack. None if no copy can be made:
    then the originals are used."""
    from .door.copies import use
    try:
        return use(folder)
    except OSError as error:
        print(f"No copy of the engine's libraries could be made: {error}", file=sys.stderr)
        return None


def _once(options) -> int:
    """Answer what the command line asks for, and tell the progress."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop_politely(stop))
    from .door.answer import Tail, answer
    from .job.split import of_all
    _log_to_stderr(logging.WARNING)
    tail = Tail()
    logging.getLogger().addHandler(tail)
    if options.command == "run" and options.part is None and os.path.isdir(options.subject):
        logging.getLogger().addHandler(job_log.LogFile(files.path(options.subject, files.LOG)))
    tell = telling.teller(options.progress)
    code = WRONG
    try:
        requests = _requests(options)
        code = NOT_STARTED
        host = _open(options) if options.command in ("run", "assemble") or getattr(options, "pack", None) else None
        code = 1
        if host and options.command == "run" and options.part and options.part[2]:
            requests = _parts_there(options, host)
    except JobError as error:
        tell(messages.Failed(options.subject, error.code, error.message, error.remedy))
        return code
    done = all(answer(request, host, emit=of_all(tell, number, len(requests)), stop_asked=stop.is_set, tail=tail)
               for number, request in enumerate(requests, 1))
    if done and options.command == "assemble":
        print(json.dumps(json_reader.read(files.path(options.subject, files.SEAMS))), flush=True)
    return 0 if done else 130 if stop.is_set() else 1


def _parts_there(options, host) -> list:
    """The requests for those parts of a range that the shot has. A farm's tasks are made before the shot is known."""
    from .job.found_person import kept_or
    from .job.split import planned
    first, last, _is_range = options.part
    count = len(planned(options.subject, host.facts, kept_or(options.subject, host.find_joints)))
    there = range(first, min(last or count, count) + 1)
    if not there:
        print(f"Nothing to do: the shot has {count} parts.", file=sys.stderr, flush=True)
    return [messages.Run(options.subject, part) for part in there]


def _print_parts(options) -> int:
    """Print what each part of a shot makes: its number, its first and last frame, and how many frames."""
    from .door.answer import find_joints
    from .engines.choose import kind_of
    from .job.found_person import kept_or
    from .job.plan import facts_of
    from .job.split import planned
    from .packs.store import read_pack
    code = NOT_STARTED
    try:
        pack = read_pack(options.pack)
        facts = functools.partial(facts_of, kind_of(pack.manifest.engine), pack)
        code = 1
        parts = planned(options.subject, facts, kept_or(options.subject, find_joints))
    except JobError as error:
        telling.teller(options.progress)(messages.Failed(options.subject, error.code, error.message, error.remedy))
        return code
    told = [{"part": part.number, "first": part.made[0], "last": part.made[-1], "frames": len(part.made),
             "windows": len(part.windows), "run_in": len(part.leading)} for part in parts if part.made]
    print(json.dumps({"parts": told}), flush=True)
    return 0


def _verify(options) -> int:
    """Print the hash of a pack that is whole."""
    from .packs.store import verify
    try:
        print(verify(Path(options.subject)), flush=True)
    except JobError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    return 0


def _stop_politely(stop) -> None:
    """The first Ctrl-C or SIGTERM stops after the denoising step; the second stops at once."""
    stop.set()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _open(options):
    from .door.answer import Host
    return Host.open(folder=options.pack, runtime=options.runtime, threads=options.threads)


def _log_to_stderr(level) -> None:
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


if __name__ == "__main__":
    sys.exit(main())
