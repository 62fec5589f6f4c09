"""`python -m lab.training.world OUT.png --seed 0 --clips 16`: a contact sheet of the world, joints drawn below."""

import argparse
import sys
import time

import cv2
import numpy as np
import torch

from engine.contract.skeleton import BODY_INDEX, HAND_INDEX, HAND_LIMBS, LIMBS

from . import draw_clip, draw_reference

SHAPES = ((256, 256), (192, 352), (352, 192))


def _bytes(picture: torch.Tensor) -> np.ndarray:
    array = (picture.clamp(0, 1) * 255).round().byte().numpy()
    return np.ascontiguousarray(np.repeat(array, 3, -1) if array.shape[-1] == 1 else array)


def _with_joints(picture: torch.Tensor, body: torch.Tensor, hands: torch.Tensor) -> np.ndarray:
    canvas = cv2.resize(_bytes(picture * 0.6), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    at = lambda joint: tuple(int(round(2 * float(v))) for v in joint[:2])
    for n, (a, b) in enumerate(LIMBS):
        a, b = body[BODY_INDEX[a]], body[BODY_INDEX[b]]
        if a[3] and b[3]:
            cv2.line(canvas, at(a), at(b), (255, 60 + 10 * n, 255 - 13 * n), 1, cv2.LINE_AA)
    for joint in body:
        cv2.circle(canvas, at(joint), 2, (0, 255, 0) if joint[3] else (90, 90, 90), -1)
    for hand in hands:
        for a, b in HAND_LIMBS:
            cv2.line(canvas, at(hand[HAND_INDEX[a]]), at(hand[HAND_INDEX[b]]), (0, 255, 255), 1, cv2.LINE_AA)
    return canvas


def _column(seed: int, shape: tuple[int, int]) -> np.ndarray:
    clip, reference = draw_clip(seed, 4, shape), draw_reference(seed, shape)
    double = lambda picture: cv2.resize(_bytes(picture), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    layers = np.concatenate([
        np.concatenate([_bytes(clip.clean[3]), _bytes(clip.shadow[3])], 1),
        np.concatenate([_bytes(0.5 * clip.matte[3] + 0.5 * clip.visible[3]),
            _bytes(0.7 * clip.objects[3] + 0.3 * clip.contact[3])], 1)], 0)
    rows = [double(clip.full[0]), _with_joints(clip.full[0], clip.body[0], clip.hands[0]), double(clip.full[3]), layers,
            _with_joints(reference.picture, reference.body, reference.hands), double(reference.picture)]
    return np.concatenate(rows[:4] + rows[5:], 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="lab.training.world", description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--shape", type=int, default=0, choices=range(len(SHAPES)), help="256x256, 192x352, 352x192")
    options = parser.parse_args()
    started = time.monotonic()
    columns = [_column(options.seed + n, SHAPES[options.shape]) for n in range(options.clips)]
    cv2.imwrite(options.out, np.concatenate(columns, 1)[..., ::-1])
    print(f"{options.out}: {options.clips} clips in {time.monotonic() - started:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
