// Drives a server with the official client in a web page of another origin, and posts what happened to the page's server.
import OpenAI from "/openai/index.mjs";

const parameters = new URLSearchParams(location.search);
const options = { apiKey: "any", baseURL: parameters.get("url"), dangerouslyAllowBrowser: true, maxRetries: 0 };
const seen = {};
try {
  const client = new OpenAI(options);
  const { data: assistant, response } = await client.beta.assistants.create({ model: "gpt-4o" }).withResponse();
  seen.requestId = /^req_/.test(response.headers.get("x-request-id"));
  const thread = await client.beta.threads.create({ messages: [{ role: "user", content: "Hi" }] });
  const stream = client.beta.threads.runs.stream(thread.id, { assistant_id: assistant.id });
  stream.on("textDelta", (delta) => (seen.text = (seen.text ?? "") + delta.value));
  seen.status = (await stream.finalRun()).status;
  const missing = await client.beta.threads.retrieve("thread_000000000000000000000000").catch((error) => error);
  seen.missing = missing.status;
  seen.deleted = (await client.beta.threads.delete(thread.id)).deleted;
} catch (error) {
  seen.failed = error.constructor.name;
}
await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
