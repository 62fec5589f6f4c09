"""The one family of errors, on both sides of the pipe, and every code that an error may have."""

import errno

CODES = {
    "cancelled": "the artist or the farm stopped the job; finished frames stay",
    "disk_full": "a file could not be written because the disk is full",
    "engine_busy": "another job is running",
    "engine_died": "the engine process ended without saying why",
    "engine_silent": "the engine process has said nothing, or nothing of the job, for too long",
    "footage_missing": "the video, or the folder of pictures, does not exist",
    "footage_shorter": "the job's folder holds more frames than the video has",
    "footage_unreadable": "the video or a picture of it cannot be read",
    "frames_invalid": "the number of frames, the first frame or the frame rate is unusable",
    "frames_missing": "frames of a job that is to be placed are not made yet",
    "gather": "something that the shot's settings name is missing or unusable",
    "held_missing": "a finished frame beside the range to fix is missing or damaged",
    "internal": "an error in the engine; the end of its log is in the remedy",
    "job_busy": "another engine is generating in the job's folder",
    "job_invalid": "job.json cannot be read, or one of its fields has a wrong type or value",
    "job_linked": "a folder or file of the job is a link to elsewhere, or not an ordinary file",
    "job_missing": "the folder holds no job.json",
    "job_newer": "job.json was written by a newer version of the add-on",
    "job_not_writable": "the engine may not write into the job's folder",
    "light_invalid": "light.json cannot be read, or the light of one of its frames is wrong",
    "mask_invalid": "a mask, object or depth picture has the wrong size or kind",
    "mask_missing": "a mask, object or depth picture that the job needs is not there",
    "no_locks": "the drive of the job's folder has no locks, so a second engine could not be kept away",
    "not_saved": "the frames were placed, but the .blend could not be saved",
    "out_of_memory": "the device or the machine has too little memory",
    "pack_corrupt": "a file of the weights differs from its checksum",
    "pack_invalid": "pack.json is not a manifest, or the weights or a graph are not as this engine reads them",
    "pack_missing": "the folder of weights, or a file in it, is not there",
    "pack_newer": "the weights are of a newer format than this engine reads",
    "pack_truncated": "a file of the weights is shorter or longer than its manifest says",
    "part_differs": "a part of the shot was made of something else than the job is now",
    "part_missing": "a part of the shot is not finished, or not there",
    "part_unknown": "the shot has no part of this number",
    "place": "the finished frames cannot be put into the scene now",
    "pose_invalid": "pose.json cannot be read, or one of its frames has wrong joints",
    "pose_missing": "the job holds no pose.json",
    "protocol_garbage": "a line between add-on and engine is not a message",
    "protocol_mismatch": "the add-on and the engine speak different protocols",
    "reference_invalid": "the reference's joints or size are unusable",
    "reference_missing": "the reference picture is not there",
    "reference_unreadable": "the reference cannot be read as a picture",
    "runtime_missing": "no runtime that can run the weights could be imported",
    "settings_invalid": "a setting of the job is out of its range",
    "size_invalid": "the size of the job or of one of its pictures is unusable",
    "source_missing": "a picture of the plate is not there",
    "source_unreadable": "a picture of the plate cannot be read",
}

# Warnings are sent as `warning` events and do not end the job.
WARNINGS = {
    "clean_holes": "the performer never leaves these places: the background there is not known, and was filled in",
    "colour_reduced": "the video has more than 8 bits or is HDR; it was converted to 8 bits",
    "cut_found": "the video holds more than one shot: each is estimated separately",
    "depth_model_licence": "the named depth model must not be used commercially",
    "footage_cut_off": "fewer frames could be read than the video's file says",
    "frames_held": "no picture could be read for these frames; the picture before is shown",
    "frames_uneven": "the video has an uneven frame rate; it was converted to an even one",
    "interlaced": "the video is interlaced; thin limbs are harder to find",
    "nobody_found": "no person could be found in the video",
    "people_crossing": "others come so close to the performer that they may be taken for one another",
    "performer_doubtful": "somebody is seen in these frames who may not be the performer; they show the plate",
    "performer_lost": "the performer was not found in these frames",
    "performer_small": "the performer is so small that the joints are uncertain",
    "frames_passed": "nobody is in these frames; they do not change",
    "reference_joints_unknown": "no person could be found in the reference; the engine works without its joints",
    "reference_people": "the reference shows several people; the nearest one is the character",
    "reference_in_part": "the reference does not show all of the person; the rest is invented",
    "reference_without_surface": "hips or shoulders cannot be found in the reference; a coarser method carries it",
}


class JobError(Exception):
    """An error that stops a job: a code of CODES, a message (expected, found, which field or file), and the remedy,
    which says what to do about it. `action` chooses the button that does this for the artist, "" for none
    (panels/remedies.py)."""

    def __init__(self, code: str, message: str, remedy: str = "", action: str = "") -> None:
        assert code in CODES, code
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.action = action

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


def writing_failed(error: OSError, path: object) -> JobError:
    """The JobError of an OSError raised while writing `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return JobError("disk_full", f"Cannot write {path}: the disk is full.",
                        "Free some space and generate again; finished frames are kept.")
    return JobError("job_not_writable", f"Cannot write {path}: {error.strerror or error}.",
                    "Choose a job folder that can be written to.")
