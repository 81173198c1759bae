// The API, readable: made from /openapi.json when the page opens.

import { Schemas, element } from "./schema.js";

const METHODS = ["get", "post", "delete"];
const ALSO = ["name", "metadata"]; // what an example shows besides the required fields

const answer = await fetch("/openapi.json");
const api = await answer.json();
const schemas = new Schemas(api.components.schemas);
const calls = Object.entries(api.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })),
);

document.querySelector(".version").textContent = `version ${api.info.version}`;
document.querySelector(".about").replaceChildren(...prose(api.info.description));
document.querySelector(".chapters").replaceChildren(...api.tags.map(chapter), events());
document.querySelector(".calls").replaceChildren(...api.tags.map(contents), element("a", { href: "#events" }, "Events"));
document.querySelector("input").addEventListener("input", (event) => find(event.target.value));
addEventListener("hashchange", openNamed);
openNamed();

function contents(tag) {
  const links = inChapter(tag).map((call) => element("a", { href: `#${call.operationId}` }, call.operationId));
  return element("div", {}, element("h2", {}, tag.name), ...links);
}

function chapter(tag) {
  return element(
    "section",
    {},
    element("h2", {}, tag.name),
    ...prose(tag.description ?? ""),
    ...inChapter(tag).map(described),
  );
}

function described(call) {
  const extension = call["x-extension"] ? element("span", { class: "badge" }, "extension") : "";
  return element(
    "details",
    { class: "call", id: call.operationId },
    element(
      "summary",
      {},
      element("span", { class: `method ${call.method}` }, call.method.toUpperCase()),
      element("span", { class: "path" }, call.path),
      extension,
      element("span", { class: "soft" }, ...words(call.summary)),
    ),
    element("div", { class: "inside" }, ...prose(call.description ?? call.summary), ...parts(call)),
  );
}

function parts(call) {
  const body = call.requestBody?.content["application/json"].schema;
  const reply = call.responses["200"].content["application/json"]?.schema;
  const stream = call.responses["200"].content["text/event-stream"]?.schema;
  return [
    ...titled("Parameters", call.parameters.map(parameter)),
    ...titled("Body", body ? schemas.tree(body) : []),
    ...titled(`Answer: ${reply ? schemas.words(reply) : ""}`, reply ? schemas.tree(reply) : []),
    ...titled("Stream", stream ? prose(stream.description) : []),
    ...titled("Try it", [curl(call, body)]),
  ];
}

function titled(title, content) {
  return content.length ? [element("h4", {}, title), ...content] : [];
}

function parameter(each) {
  const about = each.description ? ` ${each.description}` : "";
  const row = schemas.row(each.name, each.schema, each.required, []);
  row.append(element("span", { class: "soft" }, ` in ${each.in}.${about}`));
  return element("ul", { class: "fields" }, row);
}

function curl(call, body) {
  const lines = [`curl ${location.origin}${call.path}`];
  if (call.method !== "get") lines[0] = lines[0].replace("curl", `curl -X ${call.method.toUpperCase()}`);
  for (const header of call.parameters.filter((each) => each.in === "header" && each.required)) {
    lines.push(`-H '${header.name}: ${header.schema.const}'`);
  }
  if (body) {
    lines.push("-H 'Content-Type: application/json'");
    lines.push(`-d '${JSON.stringify(schemas.example(body, ALSO))}'`);
  }
  const text = lines.join(" \\\n  ");
  const button = element("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  });
  return element("div", { class: "curl" }, element("pre", {}, text), button);
}

function events() {
  const rows = Object.entries(api["x-events"]).map(([name, schema]) => schemas.row(name, schema, false, []));
  return element("section", { id: "events" }, element("h2", {}, "Events"), element("ul", { class: "fields" }, ...rows));
}

/** Paragraphs of a docstring: an empty line parts them, `code` is marked. */
function prose(text) {
  return text.split(/\n{2,}/).map((paragraph) => element("p", {}, ...words(paragraph)));
}

function words(text) {
  return text.split("`").map((piece, index) => (index % 2 ? element("code", {}, piece) : piece));
}

function inChapter(tag) {
  return calls.filter((call) => call.tags.includes(tag.name));
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  for (const call of calls) {
    const hit = `${call.operationId} ${call.method} ${call.path} ${call.summary}`.toLowerCase().includes(wanted);
    document.getElementById(call.operationId).hidden = !hit;
    document.querySelector(`nav a[href="#${call.operationId}"]`).hidden = !hit;
  }
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) named.open = true;
  named?.scrollIntoView();
}
