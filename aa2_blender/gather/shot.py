"""A request's names -> the scenes, strip, rig and objects they mean, and every problem that keeps them from a job."""

from typing import Any

import bpy

from ..blender_api import Strip, all_strips, content_start, content_trimmed
from ..settings.table import MaskUse
from . import companions, light_source, reference, rig
from . import strip as plate
from .camera import camera_at, size_of
from .carried import carried_by
from .depth import surfaces
from .layers import check_moves, rendered
from .names import Name, find, name_of, said
from .problem import GatherError
from .request import Request
from .rig import BoneMap

# Frames of two scenes count as one shape up to this difference of their aspects: rounding to whole pixels (ours).
_SAME_SHAPE = 0.02


class Shot:
    """What a request's names mean now. It is made again for each slice of work, because undo makes all of it invalid.

    `rig` is None if a performer drives. `offset`: (frame of the driver's scene) - (frame of the edit's). Raises
    GatherError for names that mean nothing.
    """

    def __init__(self, request: Request) -> None:
        self.scene = _named(bpy.data.scenes, request.scene, "scene")
        self.strip = plate.find(self.scene, request.strip)
        self.driver = driver_of(request, self.scene, self.strip)
        self.rig = None if request.performer else _named(self.driver.objects, request.rig,
                                                         f"rig in scene {self.driver.name!r}:")
        self.offset = offset_of(request, self.strip, self.driver)
        self.size = size_of(self.scene)
        self._request = request

    @property
    def camera(self) -> Name:
        """The camera's name, "" for the driver's own with its markers; a scene strip may have one of its own."""
        own = getattr(self.strip, "scene_camera", None)
        if self._request.camera or not own or self.strip.scene != self.driver:
            return self._request.camera
        return name_of(own)

    @property
    def mask_strip(self) -> Strip | None:
        """The artist's mask, None where there is none."""
        name = self._request.mask_strip
        return companions.find(self.scene, name, "mask strip") if name else None

    @property
    def clean_strip(self) -> Strip | None:
        """The plate without its performer, None where there is none, or nobody to be replaced."""
        name = "" if self._request.clean_plate else self._request.clean_strip
        return companions.find(self.scene, name, "clean plate") if name else None

    @property
    def front_strip(self) -> Strip | None:
        """What stays in front of the character, None where there is nothing."""
        name = self._request.front_strip
        return companions.find(self.scene, name, "front strip") if name else None

    @property
    def meshes(self) -> list[bpy.types.Object]:
        return [_named(bpy.data.objects, name, "mesh") for name in self._request.meshes]

    @property
    def objects(self) -> list[bpy.types.Object]:
        """The visible objects named one by one or by their collection, once each."""
        named = [_named(bpy.data.objects, name, "object") for name in self._request.objects]
        for name in self._request.collections:
            collection = _named(bpy.data.collections, name, "collection")
            named += [thing for thing in collection.all_objects if not thing.hide_render]
        return surfaces(dict.fromkeys(named))

    @property
    def holdouts(self) -> list[bpy.types.Object]:
        """Everything visible in the driver's scene but the character, which is all that its rig and meshes carry."""
        if not self._request.scene_hides:
            return []
        objects, meshes = self.objects, self.meshes
        character = carried_by(self.rig, meshes)
        return surfaces(thing for thing in rendered(self.driver) if thing not in meshes
                        and (thing in objects or thing not in character))


def driver_of(request: Request, scene: bpy.types.Scene, strip: Strip) -> bpy.types.Scene:
    """The scene of rig and camera: the named one, else the edit's own or a scene strip's where the rig is in it, else
    the only one that holds the rig."""
    if request.driver_scene:
        return _named(bpy.data.scenes, request.driver_scene, "scene")
    shown = strip.scene if strip.type == "SCENE" else None
    likely = [scene, shown] if shown else [scene]
    holding = [other for other in bpy.data.scenes if find(other.objects, request.rig)]
    chosen = [other for other in likely if other in holding]
    return chosen[0] if chosen else holding[0] if len(holding) == 1 else likely[-1]


def offset_of(request: Request, strip: Strip, driver: bpy.types.Scene) -> int:
    """What to add to a frame of the edit to get the driver's frame. A scene strip of that scene has this number
    itself."""
    if request.frame_offset is not None:
        return request.frame_offset
    if strip.type == "SCENE" and strip.scene == driver:
        return driver.frame_start - round(content_start(strip)) + content_trimmed(strip)
    return 0


def problems(request: Request) -> list[GatherError]:
    """All that is known to be missing before a button is pressed, as GatherErrors. It reads no folder but the
    reference's, so that a panel can ask at every redraw."""
    found = []
    checks = (_plate_problem, _reference_problem, *([_performer_problem] if request.performer else [_rig_problem]),
              *([_camera_problem] if needs_camera(request) else []), _beside_problem, _light_problem, _names_problem)
    for check in checks:
        try:
            check(request)
        except GatherError as error:
            found.append(error.with_traceback(None))
    return found


def _plate_problem(request: Request) -> None:
    scene = bpy.data.scenes.get(request.scene)
    editor = scene.sequence_editor if scene else None
    strip = all_strips(editor).get(request.strip) if editor else None
    if strip is None:
        raise GatherError(f"Scene {request.scene!r} has no strip {request.strip!r}." if request.strip
                          else "No strip is active.", "Click the plate's strip in the Sequencer.",
                         "use_active_strip")
    message = plate.why_no_plate(strip)
    if message:
        raise GatherError(message, "Select the strip of the shot's pictures.")
    plate.frames_of(strip, request.frames)


def needs_camera(request: Request) -> bool:
    """Whether anything is seen through the scene's camera: a rig, or objects that hide a performer."""
    return not request.performer or bool(request.objects or request.collections or request.scene_hides)


def _performer_problem(request: Request) -> None:
    strip = _strip_of(request)
    if strip is None or request.performer_box is None:
        return
    first, last = plate.frames_of(strip, request.frames)
    if not first <= request.performer_frame <= last:
        raise GatherError(f"The performer was chosen on frame {request.performer_frame}, outside the frames {first} "
                          f"to {last}.",
                          "Choose the performer again, on one of these.", "choose_performer")


def _beside_problem(request: Request) -> None:
    strip, scene = _strip_of(request), bpy.data.scenes.get(request.scene)
    if strip is None or not (request.mask_strip or request.clean_strip or request.front_strip):
        return
    frames = plate.frames_of(strip, request.frames)
    if request.mask_strip:
        if request.mask_use == MaskUse.CHOOSE and not request.performer:
            raise GatherError("The mask strip is set to choose a performer, but the driver is an armature.",
                              "Set Mask Use to Joins or Overrides.")
        companions.check(scene, request.mask_strip, "mask strip", request.strip, frames,
                         whole=request.mask_use == MaskUse.OVERRIDE)
    if request.clean_strip and not request.clean_plate:
        companions.check(scene, request.clean_strip, "clean plate", request.strip, frames, whole=True)
    if request.front_strip:
        companions.check(scene, request.front_strip, "front strip", request.strip, frames, whole=False)


def _light_problem(request: Request) -> None:
    strip = _strip_of(request)
    if strip is None:
        return
    driver = None if request.performer else driver_of(request, bpy.data.scenes[request.scene], strip)
    found = light_source.problem(request, driver)
    if found:
        raise found
    camera = camera_at(driver, driver.frame_current, request.camera) if driver and request.is_lit else None
    if camera is not None and camera.type == "CAMERA" and camera.data.type != "PERSP":
        raise GatherError(f"{camera.name!r} is no perspective camera, so the scene cannot render the light of the "
                          "character.", "Set Light Source to Ball, or choose another camera.")


def _strip_of(request: Request) -> Strip | None:
    """The plate's strip, None where _plate_problem says what is wrong with it."""
    scene = bpy.data.scenes.get(request.scene)
    return all_strips(scene.sequence_editor).get(request.strip) if scene and scene.sequence_editor else None


def _reference_problem(request: Request) -> None:
    message = reference.problem(request.reference)
    if message:
        raise GatherError(message, "Choose a picture that shows the whole character.")


def _rig_problem(request: Request) -> None:
    if not request.rig:
        raise GatherError("No armature is chosen.",
                          "Choose the rig that drives the character, or the performer in the plate.", "use_armature")
    thing = _named(bpy.data.objects, request.rig, "armature")
    if thing.type != "ARMATURE":
        raise GatherError(f"{said(request.rig)} is a {thing.type.lower()}, not an armature.",
                          "Choose the rig that drives the character.")
    bone_map(request, thing)


def bone_map(request: Request, armature: bpy.types.Object) -> BoneMap:
    """The BoneMap of an armature object as the request wants it; raises GatherError."""
    saved = rig.read_map(request.bone_map) if request.bone_map else ()
    own = {joint for joint, _, _ in request.bones}
    entries = [*(entry for entry in saved if entry[0] not in own), *request.bones]
    return rig.find_map(armature, preset=request.preset, entries=entries)


def _camera_problem(request: Request) -> None:
    scene, strip = bpy.data.scenes.get(request.scene), _strip_of(request)
    if strip is None:
        return
    driver = driver_of(request, scene, strip)
    if request.rig and find(bpy.data.objects, request.rig) and not find(driver.objects, request.rig):
        raise GatherError(f"Rig {said(request.rig)} is not in scene {driver.name!r}.",
                          "Choose the scene of rig and camera.")
    rig_object = find(driver.objects, request.rig) if not request.performer else None
    if rig_object:
        check_moves(driver, rig_object)
    camera = camera_at(driver, driver.frame_current, request.camera)
    if camera is None:
        raise GatherError(f"Scene {driver.name!r} has no camera{f' {said(request.camera)}' if request.camera else ''}.",
                          "Choose the scene of rig and camera, or add a camera that sees what the plate's camera saw.",
                          "add_camera")
    if camera.type != "CAMERA" or camera.data.type == "PANO":
        raise GatherError(f"{camera.name!r} is not a perspective or orthographic camera.", "Choose another camera.")
    own, edit = size_of(driver), size_of(scene)
    shapes = [size[0] * s.render.pixel_aspect_x / (size[1] * s.render.pixel_aspect_y)
              for size, s in ((own, driver), (edit, scene))]
    if abs(shapes[0] / shapes[1] - 1) > _SAME_SHAPE:
        raise GatherError(f"Scene {driver.name!r} renders {own[0]} x {own[1]} and {scene.name!r} {edit[0]} x "
                          f"{edit[1]}: "
                          "the frames have different shapes.", "Give both scenes a resolution of the same shape.")


def _names_problem(request: Request) -> None:
    for name in (*request.meshes, *request.objects):
        _named(bpy.data.objects, name, "object")
    for name in request.collections:
        _named(bpy.data.collections, name, "collection")


def _named(collection: bpy.types.bpy_prop_collection, name: Name, what: str) -> Any:
    thing = find(collection, name)
    if thing is None:
        raise GatherError(f"There is no {what} {said(name)}.", "Choose it again.")
    return thing
