"""The one family of errors, on both sides of the pipe, and every code that an error may have."""

import errno

CODES = {
    "cancelled": "the artist or the farm stopped the job; finished frames stay",
    "disk_full": "a file could not be written because the disk is full",
    "engine_busy": "a job was asked for while another one runs",
    "engine_died": "the engine process ended without saying why",
    "engine_silent": "the engine process has said nothing, or nothing of the job, for too long",
    "footage_missing": "the video or the pictures to be estimated from are not there",
    "footage_shorter": "the video has fewer frames than the job's folder holds of a longer one",
    "footage_unreadable": "the video or a picture of it cannot be read",
    "frames_invalid": "the number of frames, the first frame or the rate makes no shot",
    "gather": "what the shot's settings name is not there, or cannot be used as it is",
    "held_missing": "a finished frame that a range to fix rests on is not there, or damaged",
    "internal": "a fault in the engine; the log's tail is in the remedy",
    "job_busy": "another engine is generating in the job's folder",
    "job_invalid": "job.json is not one, or a field of it has a wrong type or value",
    "job_linked": "a folder or file of the job is a link to elsewhere, or no ordinary file",
    "job_missing": "the folder holds no job.json",
    "job_newer": "job.json was written by a newer version of the add-on",
    "job_not_writable": "the engine may not write into the job's folder",
    "light_invalid": "light.json is not one, or the light of a frame of it is wrong",
    "mask_invalid": "a mask, object or depth picture has the wrong size or kind",
    "mask_missing": "a mask, object or depth picture that the job needs is not there",
    "not_saved": "the frames were placed, but the .blend could not be saved",
    "out_of_memory": "the device or the machine has too little memory",
    "pack_corrupt": "a file of the weights differs from its checksum",
    "pack_invalid": "pack.json is not a manifest, or the weights or a graph are not as this engine reads them",
    "pack_missing": "the folder of weights, or a file in it, is not there",
    "pack_newer": "the weights are of a newer format than this engine reads",
    "pack_truncated": "a file of the weights is shorter or longer than its manifest says",
    "place": "what is finished cannot be laid into the scene now",
    "pose_invalid": "pose.json is not one, or a frame of it has wrong joints",
    "pose_missing": "the job holds no pose.json",
    "protocol_garbage": "a line on the wire is no message",
    "protocol_mismatch": "the add-on and the engine speak different protocols",
    "reference_invalid": "the reference's joints or size are unusable",
    "reference_missing": "the reference picture is not there",
    "reference_unreadable": "the reference is no picture that can be read",
    "runtime_missing": "no runtime that can run the weights could be imported",
    "settings_invalid": "a setting of the job is out of its range",
    "size_invalid": "the size of the job or of one of its pictures is unusable",
    "source_missing": "a picture of the plate is not there",
    "source_unreadable": "a picture of the plate cannot be read",
}

# Warnings are sent as `warning` events and do not end the job.
WARNINGS = {
    "clean_holes": "the performer never leaves these places: what is behind is not known, and was filled in",
    "colour_reduced": "the video has more than 8 bits or is HDR; it was brought to 8 bits",
    "cut_found": "another shot begins in the middle: each is estimated for itself",
    "footage_cut_off": "fewer frames could be read than the video's file tells of",
    "frames_held": "no picture could be read for these frames; the one before is held",
    "frames_uneven": "the video's pictures come at uneven times; they were brought to an even rate",
    "interlaced": "the video is interlaced; thin limbs are found less well",
    "nobody_found": "no person could be found in the video",
    "people_crossing": "others come so close to the performer that they may be taken for one another",
    "performer_lost": "the performer was not found in these frames",
    "performer_small": "the performer is so small that joints are unsure",
    "frames_passed": "nobody is in these frames; they pass through",
    "reference_joints_unknown": "no person could be found in the reference; the engine works without its joints",
    "matte_at_region_edge": "the character touches the border of the region it may be painted in",
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
