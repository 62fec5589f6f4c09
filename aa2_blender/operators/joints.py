"""The joints of the reference, dragged by mouse over its picture, in the very editor whose panel the button is in."""
import tempfile

import blf
import bpy
import gpu
from bpy.app.translations import pgettext_iface as translated
from bpy.props import EnumProperty, FloatVectorProperty
from gpu_extras.batch import batch_for_shader

from .. import stalls
from ..embedded.engine.contract import files
from ..embedded.engine.contract.skeleton import BODY, LIMBS
from ..gather import reference
from ..gather.problem import GatherError
from ..queue import session
from ..settings.plates import settings_of
from ..settings.properties import picture_named, shot_scene
from ..settings.request_of import request_of
from ..tasks.joints import JointSearch
from ..tasks.task import TaskState
from .button import BUSY, Button
from .character import search_of

# A figure standing in a picture, in parts of its width and height, where no joints are found yet (ours).
_STANDING = {
    "nose": (.5, .12), "neck": (.5, .2), "right_shoulder": (.42, .21), "right_elbow": (.37, .35),
    "right_wrist": (.35, .48),
    "left_shoulder": (.58, .21), "left_elbow": (.63, .35), "left_wrist": (.65, .48), "right_hip": (.45, .5),
    "right_knee": (.45, .7), "right_ankle": (.45, .9), "left_hip": (.55, .5), "left_knee": (.55, .7),
    "left_ankle": (.55, .9),
    "right_eye": (.48, .1), "left_eye": (.52, .1), "right_ear": (.46, .11), "left_ear": (.54, .11),
    "right_toe": (.43, .95), "left_toe": (.57, .95)}
_STANDING_HEIGHT = 0.9
_NEAR = 14          # pixels from a joint within which the mouse has it
_BACKDROP = (0.05, 0.05, 0.05, 1.0)
_LEFT, _RIGHT, _MIDDLE = (1.0, 0.45, 0.2, 1.0), (0.25, 0.65, 1.0, 1.0), (0.9, 0.9, 0.4, 1.0)
_MARKED, _UNSEEN = (1.0, 1.0, 1.0, 1.0), 0.25
_ZOOM = 1.15
_TICK_S = 0.05
_GENERIC = "Nobody was found in the reference. Drag the joints of this standing figure to their places"
_NOT_MOVED = "No joint was moved, so no joints are kept"
# Where the picture is drawn in each kind of editor; in a sequencer with a preview, in that.
_SPACES = {"SEQUENCE_EDITOR": bpy.types.SpaceSequenceEditor, "VIEW_3D": bpy.types.SpaceView3D}


class AA2_OT_edit_reference_joints(Button, bpy.types.Operator):
    bl_description = ("Show the reference large and drag its joints, which are found first if they are not yet. "
                      "X: mark a joint as not seen. Wheel: zoom. Enter: done. Escape: cancel")
    bl_idname = "aa2.edit_reference_joints"
    bl_label = "Edit Joints"
    bl_options = {"REGISTER", "UNDO"}
    joint: EnumProperty(name="Joint", description="The joint to move", options={"SKIP_SAVE"},
                        items=[(name, name.replace("_", " ").title(), "") for name in BODY])
    place: FloatVectorProperty(name="Position", description="Pixels from the left and from the top", size=2,
                               options={"SKIP_SAVE"})

    _area = _handler = _texture = _timer = None
    _search = None  # the task that finds the joints first, while it runs
    _is_generic = False  # whether the joints are those of no person
    _dragged = _under = None  # the joint that is dragged, that the mouse is over
    _compiled = False  # kept with the class: Blender compiles a shader when it is first drawn with

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return reference.problem(request_of(shot_scene(context)).reference)

    def act(self, context: bpy.types.Context) -> set[str] | None:
        """By numbers: one joint to one place."""
        ours = settings_of(shot_scene(context))
        if not self.properties.is_property_set("place") or len(ours.reference_joints) != len(BODY):
            return self.refuse("Expected a joint and its place in a reference whose joints are found. Press "
                               "Find Joints.")
        ours.reference_joints[BODY.index(self.joint)].place = self.place

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background or self.properties.is_property_set("place"):
            return self.execute(context)
        kind = _SPACES.get(context.area.type if context.area else "")
        if kind is None:
            return self.refuse("Press this in a Video Sequencer or a 3D View: the picture is shown there.")
        scene = shot_scene(context)
        self._scene, self._area, self._space = scene.name, context.area, kind
        shown = getattr(context.space_data, "view_type", "SEQUENCER")
        self._region_type = "WINDOW" if shown == "SEQUENCER" else "PREVIEW"
        try:
            self._load(scene)
        except (GatherError, RuntimeError, OSError) as error:
            return self.refuse(str(error))
        if len(settings_of(scene).reference_joints) == len(BODY):
            self._show(context, scene)
        elif session.busy():
            return self.refuse(f"The joints are not found yet. {BUSY}.")
        else:
            self._search = search_of(scene)
            session.begin(self._search)
            self._timer = context.window_manager.event_timer_add(_TICK_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def _show(self, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        """From now on the picture and its joints lie over the editor."""
        self._before = kept(settings_of(scene))
        self._zoom, self._shift = 1.0, [0.0, 0.0]
        self._handler = self._space.draw_handler_add(self.draw_joints, (), self._region_type, "POST_PIXEL")
        context.workspace.status_text_set(translated(
            "Drag joints    X: not seen    Wheel: zoom    Enter: done    Esc: cancel"))
        self._area.tag_redraw()

    def _await(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """The joints are being found; then they are shown, and if nobody was found, a standing figure."""
        search, scene = self._search, bpy.data.scenes.get(self._scene)
        if event.type == "ESC" and event.value == "PRESS":
            search.cancel()
            return self.end(context, {"CANCELLED"})
        if search.state is TaskState.WORKING:
            context.workspace.status_text_set(f"{search.progress}    Esc: {translated('Stop')}")
            return {"PASS_THROUGH"}
        if scene is None or not can_begin(search, settings_of(scene), self._size):
            if search.error:
                self.report({"ERROR"}, str(search.error))
            return self.end(context, {"CANCELLED"})
        self._search, self._is_generic = None, search.is_nobody
        if search.is_nobody:
            self.report({"WARNING"}, _GENERIC)
        self._show(context, scene)
        return {"RUNNING_MODAL"}

    def _load(self, scene: bpy.types.Scene) -> None:
        """Loads the picture as the engine will see it, as a texture. No datablock stays."""
        with tempfile.TemporaryDirectory() as folder:
            reference.write(request_of(scene).reference, scene, folder)
            picture = bpy.data.images.load(files.path(folder, files.REFERENCE), check_existing=False)
            try:
                self._size = tuple(picture.size)
                self._texture = gpu.texture.from_image(picture)
            finally:
                bpy.data.images.remove(picture)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Called with every event of the window; those over the picture are ours."""
        if self._search:
            return self._await(context, event)
        scene, region = bpy.data.scenes.get(self._scene), self._region(context)
        if scene is None or region is None or len(settings_of(scene).reference_joints) != len(BODY):
            return self.end(context, {"CANCELLED"})
        with stalls.slice("edit joints"):
            x, y = event.mouse_x - region.x, event.mouse_y - region.y
            inside = 0 <= x < region.width and 0 <= y < region.height
            if event.type == "ESC" and event.value == "PRESS":
                put_back(settings_of(scene), [] if self._is_generic else self._before)
                return self.end(context, {"CANCELLED"})
            if event.type in ("RET", "NUMPAD_ENTER") and event.value == "PRESS":
                if self._is_generic and not keep_moved(settings_of(scene), self._before):
                    self.report({"INFO"}, _NOT_MOVED)
                    return self.end(context, {"CANCELLED"})
                return self.end(context, {"FINISHED"})
            if not (inside or self._dragged is not None):
                return {"PASS_THROUGH"}
            self._take(settings_of(scene).reference_joints, event, region, (x, y))
            self._area.tag_redraw()
        return {"RUNNING_MODAL"}

    def _take(self, joints: bpy.types.bpy_prop_collection, event: bpy.types.Event, region: bpy.types.Region,
              mouse: tuple[float, float]) -> None:
        """One event over the picture."""
        fit = self._fit(region)
        if event.type == "MOUSEMOVE":
            if self._dragged is None:
                self._under = self._nearest(joints, fit, mouse)
            else:
                x, y = to_picture(mouse, fit, self._size)
                joints[self._dragged].place = (min(max(x, 0), self._size[0]), min(max(y, 0), self._size[1]))
        elif event.type == "LEFTMOUSE":
            self._under = self._nearest(joints, fit, mouse)
            self._dragged = self._under if event.value == "PRESS" else None
            if self._dragged is not None:
                joints[self._dragged].confidence = joints[self._dragged].confidence or 1.0
        elif event.type in ("X", "DEL") and event.value == "PRESS" and self._under is not None:
            joints[self._under].confidence = 0.0 if joints[self._under].confidence else 1.0
        elif event.type in ("WHEELUPMOUSE", "WHEELDOWNMOUSE"):
            before = to_picture(mouse, fit, self._size)
            self._zoom = min(max(self._zoom * (_ZOOM if event.type == "WHEELUPMOUSE" else 1 / _ZOOM), 1.0), 12.0)
            moved = to_region(before, self._fit(region), self._size)
            self._shift = [0.0, 0.0] if self._zoom == 1.0 else [s + m - p for s, m, p in zip(self._shift,
                                                                                             mouse, moved, strict=True)]

    def _nearest(self, joints: bpy.types.bpy_prop_collection, fit: tuple[float, float, float],
                 mouse: tuple[float, float]) -> int | None:
        near = _NEAR * bpy.context.preferences.system.ui_scale
        return nearest([to_region(joint.place, fit, self._size) for joint in joints], mouse, near)

    def _region(self, context: bpy.types.Context) -> bpy.types.Region | None:
        """The region of the picture, found anew each time; None where its editor is gone."""
        open_ones = [area for window in context.window_manager.windows for area in window.screen.areas]
        if self._area not in open_ones:
            return None
        return next((one for one in self._area.regions if one.type == self._region_type), None)

    def _fit(self, region: bpy.types.Region) -> tuple[float, float, float]:
        """(pixels of the region to one of the picture, its left and bottom in the region)."""
        width, height = self._size
        scale = 0.94 * min(region.width / width, region.height / height) * self._zoom
        return scale, region.width / 2 - scale * width / 2 + self._shift[0], \
            region.height / 2 - scale * height / 2 + self._shift[1]

    def end(self, context: bpy.types.Context, answer: set[str]) -> set[str]:
        """Nothing of ours stays in the window."""
        if self._handler:
            self._space.draw_handler_remove(self._handler, self._region_type)
            self._handler = self._texture = None
        if self._timer:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        context.workspace.status_text_set(None)
        if self._region(context):
            self._area.tag_redraw()
        session.redraw()
        return answer

    def cancel(self, context: bpy.types.Context) -> None:
        """Called by Blender where it ends the operator itself, as when another file is opened."""
        self.end(context, {"CANCELLED"})

    def draw_joints(self) -> None:
        """Called by Blender whenever it draws a region of that kind: the picture and its joints over all else."""
        context = bpy.context
        scene = bpy.data.scenes.get(self._scene)
        if context.area != self._area or scene is None or len(settings_of(scene).reference_joints) != len(BODY):
            return
        with stalls.slice("draw joints" if self._compiled else "compile shaders"):
            type(self)._compiled = True
            region = context.region
            fit = self._fit(region)
            draw_picture(self._texture, self._size, fit, (region.width, region.height))
            joints = [(to_region(joint.place, fit, self._size), joint.confidence > 0)
                      for joint in settings_of(scene).reference_joints]
            draw_skeleton(joints, self._under if self._dragged is None else self._dragged)


def lay_standing(ours: bpy.types.PropertyGroup, size: tuple[int, int]) -> None:
    """Joints of a standing figure in a picture of the size (width, height), for the artist to drag."""
    ours.reference_joints.clear()
    for name in BODY:
        joint = ours.reference_joints.add()
        joint.name, joint.place, joint.confidence = name, [p * s
                                                           for p, s in zip(_STANDING[name], size, strict=True)], 1.0
    ours.reference_height = _STANDING_HEIGHT * size[1]
    ours.reference_joints_of = picture_named(ours)


def can_begin(search: JointSearch, ours: bpy.types.PropertyGroup, size: tuple[int, int]) -> bool:
    """Whether there are joints to drag after a search for them: those that were found, and if nobody was found, those
    of a standing figure, which are laid here."""
    if search.is_nobody:
        lay_standing(ours, size)
    return len(ours.reference_joints) == len(BODY)


def keep_moved(ours: bpy.types.PropertyGroup, before: list[tuple[str, tuple[float, float], float]]) -> bool:
    """Whether the artist changed any of the joints `before`; without that, those of no person are removed."""
    moved = kept(ours) != before
    if not moved:
        put_back(ours, [])
    return moved


def kept(ours: bpy.types.PropertyGroup) -> list[tuple[str, tuple[float, float], float]]:
    """The joints as plain values."""
    return [(joint.name, tuple(joint.place), joint.confidence) for joint in ours.reference_joints]


def put_back(ours: bpy.types.PropertyGroup, values: list[tuple[str, tuple[float, float], float]]) -> None:
    """Give the joints these values; none for no joints."""
    if not values:
        ours.reference_joints.clear()
        ours.reference_height, ours.reference_joints_of = 0, ""
    for joint, (name, place, confidence) in zip(ours.reference_joints, values, strict=False):
        joint.name, joint.place, joint.confidence = name, place, confidence


def to_region(place: tuple[float, float], fit: tuple[float, float, float],
              size: tuple[int, int]) -> tuple[float, float]:
    """Pixels of the picture, y down -> of the region, y up."""
    scale, left, bottom = fit
    return left + scale * place[0], bottom + scale * (size[1] - place[1])


def to_picture(mouse: tuple[float, float], fit: tuple[float, float, float],
               size: tuple[int, int]) -> tuple[float, float]:
    scale, left, bottom = fit
    return (mouse[0] - left) / scale, size[1] - (mouse[1] - bottom) / scale


def nearest(places: list[tuple[float, float]], mouse: tuple[float, float], near: float) -> int | None:
    """The index of the place that the mouse has; None where none is nearer than `near` pixels."""
    apart = [((x - mouse[0])**2 + (y - mouse[1])**2)**.5 for x, y in places]
    best = min(range(len(apart)), key=apart.__getitem__)
    return best if apart[best] <= near else None


def draw_picture(texture: gpu.types.GPUTexture, size: tuple[int, int], fit: tuple[float, float, float],
                 region: tuple[int, int]) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.uniform_float("color", _BACKDROP)
    _quad(shader, 0, 0, *region).draw(shader)
    scale, left, bottom = fit
    gpu.state.blend_set("ALPHA")
    shader = gpu.shader.from_builtin("IMAGE")
    shader.uniform_sampler("image", texture)
    _quad(shader, left, bottom, left + scale * size[0], bottom + scale * size[1],
          texCoord=((0, 0), (1, 0), (1, 1), (0, 1))).draw(shader)


def _quad(shader: gpu.types.GPUShader, left: float, bottom: float, right: float, top: float,
          **more) -> gpu.types.GPUBatch:
    return batch_for_shader(shader, "TRI_FAN", {
        "pos": ((left, bottom), (right, bottom), (right, top), (left, top)), **more})


def draw_skeleton(joints: list[tuple[tuple[float, float], float]], marked: int | None) -> None:
    """`joints`: ((x, y), seen) of each of BODY, in the region; `marked`: the index of the one under the mouse,
    or None."""
    places = dict(zip(BODY, joints, strict=False))
    gpu.state.blend_set("ALPHA")
    gpu.state.line_width_set(2.0)
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    ends = [(places[joint][0], _faded(_colour(b), places[a][1] and places[b][1])) for a, b in LIMBS for joint in (a, b)]
    _coloured(shader, "LINES", ends)
    corners = []
    for i, (name, ((x, y), seen)) in enumerate(places.items()):
        half, colour = (6, _MARKED) if i == marked else (4, _faded(_colour(name), seen))
        square = [(x + dx * half, y + dy * half) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, -1), (1, 1), (-1, 1))]
        corners += [(place, colour) for place in square]
    _coloured(shader, "TRIS", corners)
    if marked is not None:
        _name(BODY[marked].replace("_", " "), joints[marked][0])
    gpu.state.line_width_set(1.0)
    gpu.state.blend_set("NONE")


def _coloured(shader: gpu.types.GPUShader, kind: str,
              points: list[tuple[tuple[float, float], tuple[float, float, float, float]]]) -> None:
    """Draws ((x, y), (r, g, b, a)) points, all at once."""
    places, colours = zip(*points, strict=True)
    batch_for_shader(shader, kind, {"pos": places, "color": colours}).draw(shader)


def _name(text: str, place: tuple[float, float]) -> None:
    blf.size(0, 13 * bpy.context.preferences.system.ui_scale)
    blf.color(0, *_MARKED)
    blf.position(0, place[0] + 10, place[1] + 8, 0)
    blf.draw(0, text)


def _colour(name: str) -> tuple[float, float, float, float]:
    return _LEFT if name.startswith("left") else _RIGHT if name.startswith("right") else _MIDDLE


def _faded(colour: tuple[float, float, float, float], seen: float) -> tuple[float, float, float, float]:
    return colour if seen else (*colour[:3], _UNSEEN)


CLASSES = (AA2_OT_edit_reference_joints,)
