"""Step 3, the driver: the performer in the plate, chosen by a click on a box in the sequencer's preview or by
numbers."""
import blf
import bpy
import gpu
from bpy.app.translations import pgettext_iface as translated
from bpy.props import FloatVectorProperty, IntProperty
from gpu_extras.batch import batch_for_shader

from .. import stalls
from ..embedded.engine.contract import files
from ..gather.shot import driver_of, offset_of
from ..gather.strip import find
from ..place import rig
from ..queue import session
from ..settings.plates import plate_name, settings_of
from ..settings.preferences import engine_launch
from ..settings.properties import shot_scene
from ..settings.request_of import NOBODY, job_folder, request_of
from ..settings.table import DriverKind, PlateIs
from ..tasks import performer
from ..tasks.task import TaskState
from ..versions.shown import folder_of_shot
from .button import Button, StartButton

_LINE, _CHOSEN, _TEXT = (1.0, 1.0, 1.0, 0.8), (1.0, 0.6, 0.1, 1.0), 14
_TICK_S = 0.05


class AA2_OT_choose_performer(StartButton, bpy.types.Operator):
    bl_description = ("Show a box around every person on this frame of the plate, in the sequencer's preview, and "
                      "click the one to replace")
    bl_idname = "aa2.choose_performer"
    bl_label = "Choose Performer"
    bl_options = {"REGISTER", "UNDO"}
    box: FloatVectorProperty(
        name="Box", description="Left, top, right, bottom in parts of the picture: whoever stands there, without "
                                "looking for anybody",
        size=4, options={"SKIP_SAVE"})
    frame: IntProperty(name="Frame", description="Frame of the timeline; without it, the one under the playhead",
                       options={"SKIP_SAVE"})

    _boxes = _timer = None

    def act(self, context: bpy.types.Context) -> set[str] | None:
        """By numbers. Without any, the nearest person on the frame is chosen when the search has ended."""
        scene = shot_scene(context)
        frame = self.frame if self.properties.is_property_set("frame") else scene.frame_current
        if tuple(self.box) != NOBODY:
            return performer.choose(scene, tuple(self.box), frame)
        task = _search(scene, frame)
        ended = self.begin(task)
        if task.crowd:
            task.choose(task.crowd.boxes[0])
        return ended

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background or self.properties.is_property_set("box"):
            return self.execute(context)
        area = preview_area(context)
        if area is None:
            return self.refuse("No preview is open. Switch a Video Sequencer to Preview or Sequencer & Preview and "
                               "choose again.")
        scene = shot_scene(context)
        search = _search(scene, scene.frame_current)
        session.begin(search)
        self._boxes = _Boxes(area, search)
        self._timer = context.window_manager.event_timer_add(_TICK_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Called with every event of the window: a click in the preview chooses, Escape ends it; the rest passes."""
        search = self._boxes.search
        with stalls.slice("choose performer"):
            if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
                search.cancel()
                return self.end(context, {"CANCELLED"})
            if search.state is TaskState.WORKING:
                context.workspace.status_text_set(f"{search.progress}    Esc: {translated('Stop')}")
                return {"PASS_THROUGH"}
            if search.state is not TaskState.DONE:
                if search.error:
                    self.report({"ERROR"}, str(search.error))
                return self.end(context, {"CANCELLED"})
            return self.choose(context, event)

    def choose(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        boxes = self._boxes
        scene, region = bpy.data.scenes.get(boxes.search.scene), boxes.region(context)
        if scene is None or region is None:
            return self.end(context, {"CANCELLED"})
        context.workspace.status_text_set(f"{translated('Click on the performer')}    Esc: {translated('Stop')}")
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        inside = 0 <= x < region.width and 0 <= y < region.height
        under = boxes.look_at(region, scene, (x, y) if inside else None)
        if event.type != "LEFTMOUSE" or not inside:
            return {"PASS_THROUGH"}
        if event.value == "PRESS" and under is not None:
            boxes.search.choose(boxes.search.crowd.boxes[under])
            return self.end(context, {"FINISHED"})
        return {"RUNNING_MODAL"}

    def end(self, context: bpy.types.Context, answer: set[str]) -> set[str]:
        """Nothing of ours stays in the window."""
        if self._boxes:
            self._boxes.remove(context)
        if self._timer:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if context.workspace:
            context.workspace.status_text_set(None)
        session.redraw()
        return answer

    def cancel(self, context: bpy.types.Context) -> None:
        """Called by Blender where it ends the operator itself, as when another file is opened."""
        self.end(context, {"CANCELLED"})


class _Boxes:
    """The boxes of a search, drawn over the preview of an area until remove(). Blender may draw when the operator is
    gone already, so nothing of the operator is in here."""

    def __init__(self, area: bpy.types.Area, search: performer.PeopleSearch) -> None:
        self.search, self.under = search, None
        self._area, self._looked = area, False
        self._handler = bpy.types.SpaceSequenceEditor.draw_handler_add(self.draw, (), "PREVIEW", "POST_PIXEL")

    def region(self, context: bpy.types.Context) -> bpy.types.Region | None:
        """The preview's region; None where it is shown no more."""
        open_areas = context.window.screen.areas if context.window else ()
        if not any(area == self._area for area in open_areas):
            return None
        return next((region for region in self._area.regions if region.type == "PREVIEW" and region.width > 1), None)

    def look_at(self, region: bpy.types.Region, scene: bpy.types.Scene,
                place: tuple[float, float] | None) -> int | None:
        """Which box lies under a pixel of the region, None for none or no pixel; it is drawn as such."""
        under = performer.box_at(self.search.crowd.boxes, *part_at(region.view2d, scene, *place)) if place else None
        if under != self.under or not self._looked:
            self.under, self._looked = under, True
            region.tag_redraw()
        return under

    def draw(self) -> None:
        """Called by Blender whenever it draws a preview: lines and names over it, and nothing else."""
        context, search = bpy.context, self.search
        scene = bpy.data.scenes.get(search.scene)
        if context.area != self._area or search.crowd is None or scene is None or scene.frame_current != search.frame:
            return
        with stalls.slice("draw people"):
            for i, box in enumerate(search.crowd.boxes):
                draw_box(context.region.view2d, scene, box, str(i + 1), _CHOSEN if i == self.under else _LINE)

    def remove(self, context: bpy.types.Context) -> None:
        if self._handler:
            bpy.types.SpaceSequenceEditor.draw_handler_remove(self._handler, "PREVIEW")
            self._handler = None
        region = self.region(context)
        if region:
            region.tag_redraw()


class AA2_OT_forget_performer(Button, bpy.types.Operator):
    """Use the nearest person in the plate as the performer, or the one that the mask strip shows"""

    bl_idname = "aa2.forget_performer"
    bl_label = "Use Nearest Person"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        ours = settings_of(shot_scene(context))
        ours.performer_box, ours.performer_frame = NOBODY, 0


class AA2_OT_make_rig_from_pose(Button, bpy.types.Operator):
    bl_description = ("Add an armature that follows the pose of the shown version at the camera's distance, with a "
                      "keyframe on each frame that you can correct, and use it as the driver")
    bl_idname = "aa2.make_rig_from_pose"
    bl_label = "Make Rig from Pose"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        folder = folder_of_shot(shot_scene(context))
        if folder is None or not (folder / files.POSE).is_file():
            return "No pose is found yet: generate, or preview the conditions, with a performer first"
        return "" if context.mode == "OBJECT" else "Switch to Object Mode first"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        request = request_of(scene)
        strip = find(scene, request.strip)
        driver = driver_of(request, scene, strip)
        ours = settings_of(scene)
        made = rig.make(driver, folder_of_shot(scene), camera=request.camera, offset=offset_of(request, strip, driver))
        ours.driver, ours.armature, ours.bone_map, ours.plate_is = DriverKind.ARMATURE, made, "", PlateIs.PERFORMED
        ours.driver_scene = driver if driver != scene else None
        self.report({"INFO"}, f"{made.name} drives now")


def preview_area(context: bpy.types.Context) -> bpy.types.Area | None:
    """An area of the window that shows the sequencer's preview; None where there is none."""
    areas = [area for area in context.window.screen.areas if area.type == "SEQUENCE_EDITOR"
             and area.spaces.active.view_type in ("PREVIEW", "SEQUENCER_PREVIEW")]
    return context.area if context.area in areas else max(areas, key=lambda area: area.width * area.height,
                                                          default=None)


def view_size(scene: bpy.types.Scene) -> tuple[float, float]:
    """The picture's width and height in the preview's own units, which lie around its middle (measured: render
    percentage doesn't count, pixel aspect does)."""
    render = scene.render
    return render.resolution_x * render.pixel_aspect_x / render.pixel_aspect_y, float(render.resolution_y)


def part_at(view: bpy.types.View2D, scene: bpy.types.Scene, x: float, y: float) -> tuple[float, float]:
    """A pixel of the preview's region -> parts of the picture, y down."""
    width, height = view_size(scene)
    across, up = view.region_to_view(x, y)
    return across / width + 0.5, 0.5 - up / height


def pixel_at(view: bpy.types.View2D, scene: bpy.types.Scene, across: float, down: float) -> tuple[float, float]:
    """Parts of the picture, y down -> a pixel of the preview's region."""
    width, height = view_size(scene)
    return view.view_to_region((across - 0.5) * width, (0.5 - down) * height, clip=False)


def draw_box(view: bpy.types.View2D, scene: bpy.types.Scene, box: performer.Box, name: str,
             colour: tuple[float, float, float, float]) -> None:
    left, top = pixel_at(view, scene, box[0], box[1])
    right, bottom = pixel_at(view, scene, box[2], box[3])
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    shader.uniform_float("color", colour)
    gpu.state.blend_set("ALPHA")
    gpu.state.line_width_set(2.0)
    batch_for_shader(shader, "LINE_STRIP", {"pos": [(*corner, 0.0) for corner in corners]}).draw(shader)
    gpu.state.line_width_set(1.0)
    gpu.state.blend_set("NONE")
    blf.size(0, _TEXT)
    blf.color(0, *colour)
    blf.position(0, left + 4, top - _TEXT - 2, 0)
    blf.draw(0, name)


def _search(scene: bpy.types.Scene, frame: int) -> performer.PeopleSearch:
    return performer.PeopleSearch(scene.name, plate_name(scene), frame, job_folder(scene), link=session.link,
                                  launch=engine_launch())


CLASSES = (AA2_OT_choose_performer, AA2_OT_forget_performer, AA2_OT_make_rig_from_pose)
