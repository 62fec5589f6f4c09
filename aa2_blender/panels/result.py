"""Step 7, the result: how the last job ended, and its strips."""
from .. import session
from ..operators.result import AA2_OT_place_again
from ..task import remedy
from .drawing import Part, draw_text


class Result(Part):
    """How the last job ended: its error with the remedy, or its warnings, and where it lies."""

    bl_label = "Result"

    def tell(self, layout, context, scene):
        layout.operator(AA2_OT_place_again.bl_idname, icon="SEQ_STRIP_DUPLICATE")
        task = session.current()
        if task and not session.busy():
            draw_end(layout, context, task)


def draw_end(layout, context, task):
    box = layout.box()
    if task.error:
        draw_text(box, context, task.error.message, icon="CANCEL")
        draw_text(box, context, remedy(task.error), icon="BLANK1")
    elif task.state == "done":
        box.label(text=task.achieved(), icon="CHECKMARK")
    else:
        box.label(text="Cancelled; what is finished stays", icon="X")
    for warning in getattr(task, "warnings", ()):
        draw_text(box, context, warning, icon="INFO")
    box.operator("wm.path_open", text="Open Job Folder", icon="FILE_FOLDER").filepath = str(task.folder)


PARTS = (Result,)
