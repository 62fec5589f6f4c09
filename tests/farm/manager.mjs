// Stands for a Flamenco Manager that compiles a job: a bare context with only what Flamenco gives to a script. As in
// its Go code, a task is copied when it is added to the job, and a command when it is added to a task.
//
//     node manager.mjs SCRIPT.js JOB.json      prints {"type": JOB_TYPE, "tasks": [...]} as JSON
import { readFileSync } from "node:fs";
import vm from "node:vm";

const [script, submitted] = process.argv.slice(2);
const job = { ...JSON.parse(readFileSync(submitted, "utf8")), tasks: [] };
job.addTask = task => {
    job.tasks.push({ ...task, commands: [...task.commands], dependencies: task.dependencies.map(one => one.uuid) });
};

let count = 0;
function named(text, what) {
    if (typeof text !== "string" || text.trim() === "") {
        throw new Error(`author.Task(name, type): ${what} is required`);
    }
    return text.trim();
}
const author = {
    Task(name, type) {
        const task = { uuid: `task-${count++}`, name: named(name, "name"), type: named(type, "type"), commands: [],
                       dependencies: [] };
        const adders = {
            addCommand: command => { task.commands.push(structuredClone(command)); },
            addDependency: other => { task.dependencies.push(other); },
        };
        for (const [name, value] of Object.entries(adders)) {
            Object.defineProperty(task, name, { value });
        }
        return task;
    },
    Command: (name, parameters, totalStepCount = 0) => ({ name, parameters: JSON.parse(JSON.stringify(parameters)),
                                                          totalStepCount }),
};
const slashed = text => text.replaceAll("\\", "/");
const joined = parts => slashed(parts.join("/")).replace(/(?<!^)\/{2,}/g, "/");
const base = text => slashed(text).replace(/\/+$/, "").split("/").at(-1);
const path = {
    join: (...parts) => joined(parts), basename: base,
    dirname: text => slashed(text).split("/").slice(0, -1).join("/") || ".",
    stem: text => base(text).replace(/\.[^.]*$/, ""),
};
function refused(name) {
    return () => { throw new Error(`${name} is not emulated here`); };
}
const given = {
    author, path, process: { platform: "linux", cwd: () => "/" }, print: () => undefined, alert: () => undefined,
    frameChunker: refused("frameChunker"), frameCount: refused("frameCount"),
    formatTimestampLocal: refused("formatTimestampLocal"), shellSplit: refused("shellSplit"),
};
const context = vm.createContext(given);
new vm.Script(`"use strict";\n${readFileSync(script, "utf8")}`, { filename: script }).runInContext(context);
context.submitted = job;
vm.runInContext("compileJob(submitted)", context);
const type = vm.runInContext("JOB_TYPE", context);
process.stdout.write(JSON.stringify({ type, tasks: job.tasks }));
