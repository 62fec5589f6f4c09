"""Step 6, generating: what is missing, the buttons, and the running job."""
from .. import session
from ..asking import request_of
from ..gather.job import problems
from ..operators.preview import AA2_OT_preview_conditions
from ..operators.queue import AA2_OT_cancel, AA2_OT_generate
from .drawing import Part, draw_text


class Queue(Part):
    """What is missing, the buttons, and below them the running job: no button moves under the mouse when one begins."""

    bl_label = "Generate"

    def tell(self, layout, context, scene):
        busy, task = session.busy(), session.current()
        found = [] if busy else problems(request_of(scene))
        for problem in found:
            draw_text(layout, context, problem.message, icon="ERROR")
            draw_text(layout, context, problem.remedy, icon="BLANK1")
        column = layout.column(align=True)
        column.enabled = not (found or busy)
        column.operator(AA2_OT_generate.bl_idname, icon="PLAY")
        column.operator(AA2_OT_preview_conditions.bl_idname, icon="HIDE_OFF")
        if busy:
            draw_progress(layout, task.progress)
            layout.operator(AA2_OT_cancel.bl_idname, icon="X")


def draw_progress(layout, progress):
    factor = min(progress.step / progress.total, 1.0) if progress.total else 0.0
    layout.progress(factor=factor, text=str(progress))


PARTS = (Queue,)
