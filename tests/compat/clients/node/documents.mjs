// Uploads, indexes, searches and asks about files with the official Node client, and prints what happened as one JSON object.
// Arguments: the folder of the client, the base URL, and whether it is an address for Azure ("azure") or not ("").
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, url, flavour] = process.argv.slice(2);
const require = createRequire(folder + "/");
const { default: OpenAI, AzureOpenAI, toFile } = await import(pathToFileURL(require.resolve("openai")).href.replace(/\.js$/, ".mjs"));

const options = { apiKey: "any", maxRetries: 0, timeout: 20_000 };
const client =
  flavour === "azure"
    ? new AzureOpenAI({ ...options, baseURL: undefined, endpoint: url, apiVersion: "2024-05-01-preview" })
    : new OpenAI({ ...options, baseURL: url });
const { files, vectorStores: stores } = client;
const { assistants, threads } = client.beta;
const HANDBOOK = "The seal of the pump wears out. 🐝 Replace it every 400 hours.";
const WARRANTY = "The warranty lasts two years.";
const CONTENT = "step_details.tool_calls[*].file_search.results[*].content";
const seen = {};

const all = async (pages) => {
  const found = [];
  for await (const each of pages) found.push(each);
  return found;
};

// A file: uploaded, found and read.
const file = await files.create({ file: await toFile(Buffer.from(WARRANTY), "warranty.txt"), purpose: "assistants", expires_after: { anchor: "created_at", seconds: 3600 } });
seen.file = [file.filename, file.bytes, file.status, file.expires_at - file.created_at];
seen.retrieved = (await files.retrieve(file.id)).id === file.id;
seen.listed = (await all(files.list({ purpose: "assistants", limit: 1 }))).length;
seen.content = (await (await files.content(file.id)).text()) === WARRANTY;

// A vector store: a file of its own, a batch with a file that cannot be read, a search.
const store = await stores.create({ name: "Handbooks", expires_after: { anchor: "last_active_at", days: 1 } });
const indexed = await stores.files.uploadAndPoll(store.id, new File([HANDBOOK], "pump.txt"));
seen.indexed = [indexed.status, indexed.last_error, indexed.chunking_strategy.type];
await stores.files.update(indexed.id, { vector_store_id: store.id, attributes: { year: 2026 } });
const image = await toFile(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), "a.png");
const batch = await stores.fileBatches.uploadAndPoll(store.id, { files: [new File(["Boats leave on Mondays."], "boats.txt"), image], fileIds: [file.id] });
seen.batch = [batch.status, batch.file_counts.completed, batch.file_counts.failed];
const failed = await all(stores.fileBatches.listFiles(batch.id, { vector_store_id: store.id, filter: "failed" }));
seen.failed = failed.map((each) => each.last_error.code);
const filters = { type: "and", filters: [{ type: "gte", key: "year", value: 2026 }] };
const results = await all(stores.search(store.id, { query: ["seal", "pump"], filters, max_num_results: 5, ranking_options: { score_threshold: 0.01 } }));
seen.results = results.map((each) => [each.filename, each.content[0].text === HANDBOOK, each.attributes, each.score > 0 && each.score <= 1]);
seen.counts = (await stores.retrieve(store.id)).file_counts.total;

// A run that searches, streamed. Indexes count Unicode characters, so the text is taken apart into those.
const reader = await assistants.create({ model: "gpt-4o", tools: [{ type: "file_search" }], tool_resources: { file_search: { vector_store_ids: [store.id] } } });
const thread = await threads.create({ messages: [{ role: "user", content: "How often?" }] });
const stream = threads.runs.stream(thread.id, { assistant_id: reader.id, include: [CONTENT] });
const streamed = [];
stream.on("textDelta", (delta) => streamed.push(...(delta.annotations ?? []).map((each) => each.text)));
const run = await stream.finalRun();
const [message] = (await threads.messages.list(thread.id, { run_id: run.id })).data;
const { value, annotations } = message.content[0].text;
const cited = annotations.map((each) => [...value].slice(each.start_index, each.end_index).join(""));
seen.run = [run.status, value, cited, streamed];
const steps = await all(threads.runs.steps.list(run.id, { thread_id: thread.id, include: [CONTENT] }));
const [found] = steps.flatMap((step) => step.step_details.tool_calls ?? []).map((call) => call.file_search.results);
const quoted = found.find((each) => each.file_id === annotations[0].file_citation.file_id);
const stored = await all(stores.files.content(quoted.file_id, { vector_store_id: store.id }));
seen.quoted = [quoted.content[0].text, stored.map((part) => part.text).join("").includes(quoted.content[0].text)];

// The ends of things.
seen.removed = (await stores.files.delete(indexed.id, { vector_store_id: store.id })).deleted;
seen.deleted = [(await stores.delete(store.id)).deleted, (await files.delete(file.id)).deleted];
const missing = await Promise.all([files.retrieve(file.id), stores.retrieve(store.id)].map((call) => call.catch((error) => error)));
seen.missing = missing.map((error) => [error.status, error.error.message.replace(file.id, "F").replace(store.id, "S")]);

console.log(JSON.stringify(seen));
