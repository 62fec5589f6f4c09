"""What our operators share: they report, and never leave Blender with an exception."""
import bpy

from .. import stalls
from ..embedded.engine.contract import messages
from ..embedded.engine.contract.errors import JobError
from ..gather.request import Request
from ..queue import session
from ..settings.preferences import engine_launch
from ..settings.properties import shot_scene
from ..settings.request_of import job_folder, keep_settings, problems_of, request_of
from ..tasks.gathering import Gathered
from ..tasks.generation import Generation
from ..tasks.task import Task, TaskState

BUSY = "A job is running; cancel it or wait"


class Button:
    """A button writes `act`, whose errors become reports.

    What it needs it says in `why_not`; all that its bases say there counts too, so no poll can hide another's.
    """

    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        for kind in cls.__mro__:
            said = vars(kind).get("why_not")
            reason = said.__func__(cls, context) if said else ""
            if reason:
                cls.poll_message_set(reason)
                return False
        return True

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        """Why the button cannot be pressed now, as a sentence without a full stop; "" if it can."""
        return ""

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            with stalls.slice(f"press {self.bl_idname}"):
                return self.act(context) or {"FINISHED"}
        except JobError as error:
            return self.refuse(str(error))
        except OSError as error:
            return self.refuse(f"{error.filename or 'A file'}: {error.strerror or error}.")

    def refuse(self, message: str) -> set[str]:
        self.report({"ERROR"}, message)
        return {"CANCELLED"}

    def tell(self, message: str) -> None:
        """Show the artist what was done besides."""
        self.report({"INFO"}, message)

    def asked(self, scene: bpy.types.Scene) -> tuple[Request, str]:
        """(the scene's Request, what is missing for it as a sentence, "" for nothing)."""
        request = request_of(scene)
        missing = " ".join(map(str, problems_of(scene, request)))
        if not missing:
            keep_settings(scene)
        return request_of(scene), missing

    def begin(self, task: Task) -> set[str]:
        """Starts a task; in background mode it has ended on return, and its end is reported."""
        if session.busy():
            return self.refuse(f"{BUSY}.")
        session.begin(task)
        if task.state is TaskState.FAILED:
            return self.refuse(str(task.error))
        return {"CANCELLED"} if task.state is TaskState.CANCELLED else {"FINISHED"}


class StartButton(Button):
    """A button that needs the engine, so it waits for the one before."""

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        return BUSY if session.busy() else ""

    def start(self, context: bpy.types.Context, ask: type[messages.Run] | type[messages.Preview]) -> set[str]:
        scene = shot_scene(context)
        request, missing = self.asked(scene)
        if missing:
            return self.refuse(missing)
        version = Gathered(request, job_folder(scene))
        launch = engine_launch(request.settings.engine)
        return self.begin(Generation(version, link=session.link, launch=launch, ask=ask))
