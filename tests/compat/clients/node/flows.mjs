// Drives a server with the official Node client, and prints what happened as one JSON object.
// Arguments: the folder of the client, the base URL, and whether it is an address for Azure ("azure") or not ("").
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, url, flavour] = process.argv.slice(2);
const require = createRequire(folder + "/");
const { default: OpenAI, AzureOpenAI } = await import(pathToFileURL(require.resolve("openai")).href.replace(/\.js$/, ".mjs"));

const options = { apiKey: "any", maxRetries: 0, timeout: 20_000 };
const client =
  flavour === "azure"
    ? new AzureOpenAI({ ...options, baseURL: undefined, endpoint: url, apiVersion: "2024-05-01-preview" })
    : new OpenAI({ ...options, baseURL: url });
const { assistants, threads } = client.beta;
const seen = {};

const weather = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};
const assistant = await assistants.create({ model: "gpt-4o", name: null, instructions: "Be brief.", metadata: null });
const forecaster = await assistants.update((await assistants.create({ model: "gpt-4o" })).id, { tools: [weather] });
seen.assistants = [];
for await (const each of assistants.list({ limit: 1 })) seen.assistants.push(each.id === assistant.id);

// A run that is polled.
const thread = await threads.create({ messages: [{ role: "user", content: "Hi" }] });
const run = await threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
seen.polled = [run.status, run.usage.total_tokens];
const messages = await threads.messages.list(thread.id, { order: "asc" });
seen.messages = messages.data.map((message) => [message.role, message.content[0].text.value]);
seen.steps = (await threads.runs.steps.list(run.id, { thread_id: thread.id })).data.map((step) => step.type);

// A run that is streamed, with its helper.
await threads.messages.create(thread.id, { role: "user", content: [{ type: "text", text: "Again" }] });
const stream = threads.runs.stream(thread.id, { assistant_id: assistant.id });
seen.deltas = [];
stream.on("textDelta", (delta) => seen.deltas.push(delta.value));
seen.streamed = (await stream.finalRun()).status;
seen.text = (await stream.finalMessages())[0].content[0].text.value;

// A run that calls a function, and is streamed again from the output on.
const asked = await threads.createAndRunPoll({ assistant_id: forecaster.id, thread: { messages: [{ role: "user", content: "Oslo?" }] } });
const [call] = asked.required_action.submit_tool_outputs.tool_calls;
seen.call = [asked.status, call.function.name, JSON.parse(call.function.arguments)];
const refused = await threads.messages.create(asked.thread_id, { role: "user", content: "And?" }).catch((error) => error);
seen.locked = [refused.status, refused.error.message.replace(asked.thread_id, "T").replace(asked.id, "R")];
const outputs = { thread_id: asked.thread_id, tool_outputs: [{ tool_call_id: call.id, output: "rain" }] };
const rest = threads.runs.submitToolOutputsStream(asked.id, outputs);
seen.events = [];
rest.on("event", (event) => seen.events.push(event.event));
seen.answered = (await rest.finalRun()).status;

// A run that is cancelled while it waits for an output, an error, and the ends of things.
const left = await threads.createAndRunPoll({ assistant_id: forecaster.id, thread: { messages: [{ role: "user", content: "Rome?" }] } });
await threads.runs.cancel(left.id, { thread_id: left.thread_id });
seen.cancelled = (await threads.runs.poll(left.id, { thread_id: left.thread_id })).status;
const missing = await threads.retrieve("thread_000000000000000000000000").catch((error) => error);
seen.missing = [missing.constructor.name, missing.status];
seen.deleted = [(await threads.delete(thread.id)).deleted, (await assistants.delete(assistant.id)).deleted];

console.log(JSON.stringify(seen));
