// SPDX-License-Identifier: GPL-3.0-or-later
// A job type of Flamenco: characters of AA2 for Blender, on many workers. Put this file into the folder scripts/ beside
// the Flamenco Manager. Every worker needs Blender with the extension AA2 enabled.

// What reads the settings from Blender, in the process of the person who submits.
const ASKED = "next(m for n, m in __import__('sys').modules.items() if n.endswith('aa2_blender.farm.flamenco'))"
    + ".settings(C.scene)";

const JOB_TYPE = {
    label: "AA2 Character",
    description: "Put characters into the shots of a file, and lay them over their plates",
    settings: [
        { key: "placed", type: "string", subtype: "file_path", required: true, eval: `${ASKED}['placed']`,
          description: "The file to save with the strips in it" },
        { key: "blendfile", type: "string", required: true, visible: "web",
          description: "The file with the shots" },
        { key: "jobs", type: "string", subtype: "dir_path", required: true, visible: "web",
          eval: `${ASKED}['jobs']`, description: "The folder with the versions of all shots" },
        { key: "shots", type: "string", required: true, visible: "web", eval: `${ASKED}['shots']`,
          description: "The shots and their tasks, as JSON" },
        { key: "pack", type: "string", subtype: "dir_path", default: "", visible: "web", eval: `${ASKED}['pack']`,
          description: "The weights; without them, each worker uses its own" },
    ]
};

function compileJob(job) {
    const settings = job.settings;
    const shots = JSON.parse(settings.shots);
    if (!Array.isArray(shots) || shots.length === 0) {
        throw "The setting 'shots' names no shot. Write the job again in Blender, in the panel Farm.";
    }
    const made = shots.map(shot => authorShot(job, settings, shot));
    const jobs = shots.map(shot => path.join(settings.jobs, shot.job));
    addTask(job, "place", inBlend(settings, ["place", "--job", ...jobs, "--save", settings.placed]), made);
}

// Author the tasks that make the frames of one shot; returns the last one.
function authorShot(job, settings, shot) {
    const folder = path.join(settings.jobs, shot.job);
    const pack = settings.pack ? ["--pack", settings.pack] : [];
    const gather = addTask(job, `gather ${shot.name}`, inBlend(settings, [
        "gather", "--job", folder, `--scene=${shot.scene}`, `--strip=${shot.strip}`,
        "--part-windows", `${shot.part_windows}`, "--run-in", `${shot.run_in}`, ...pack]), []);
    const lit = shot.light.map(frames => addTask(job, `light ${shot.name} ${frames}`,
        inBlend(settings, ["light", "--job", folder, "--frames", frames]), [gather]));
    const ready = lit.length > 0 ? lit : [gather];
    if (shot.parts.length === 0) {
        return addTask(job, `generate ${shot.name}`, engine(["run", folder, ...pack]), ready);
    }
    const parts = shot.parts.map(part => addTask(job, `generate ${shot.name} ${part}`,
        engine(["run", folder, "--part", part, ...pack]), ready));
    return addTask(job, `assemble ${shot.name}`, engine(["assemble", folder, ...pack]), parts);
}

// The Manager copies a task when it is added, so its command and what it waits for come first.
function addTask(job, name, command, before) {
    const task = author.Task(name, "blender");
    task.addCommand(command);
    for (const one of before) {
        task.addDependency(one);
    }
    job.addTask(task);
    return task;
}

// A command of the extension that opens the file with the shots.
function inBlend(settings, words) {
    return author.Command("blender-render", {
        exe: "{blender}", exeArgs: "{blenderArgs}", argsBefore: [], blendfile: settings.blendfile,
        args: ["--command", "aa2", ...words],
    });
}

// A command of the engine, which opens no file.
function engine(words) {
    return author.Command("exec", { exe: "{blender}", args: ["-b", "--command", "aa2", "engine", ...words] });
}
