// Schemas as trees of fields, and examples made from them. Text goes in as text: nothing is read as HTML.

/** An element with attributes and children; strings become text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const nameOf = (schema) => schema.$ref?.split("/").at(-1);
const shown = (schema) => nameOf(schema)?.replace(/^Page_(.*)_$/, "Page of $1");

/** Knows the components of a document. */
export class Schemas {
  constructor(components) {
    this.components = components;
  }

  resolve(schema) {
    return schema.$ref ? this.components[nameOf(schema)] : schema;
  }

  /** What a value may be, null apart. */
  choices(schema) {
    const found = this.resolve(schema).anyOf ?? [schema];
    return found.filter((choice) => choice.type !== "null");
  }

  /** A type in a few words, such as `array of Run or null`. */
  words(schema) {
    if (schema.$ref) {
      const inside = this.resolve(schema);
      return inside.enum ? this.words(inside) : shown(schema);
    }
    if (schema.anyOf) return schema.anyOf.map((choice) => this.words(choice)).join(" or ");
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    if (schema.type === "array") return `array of ${schema.items ? this.words(schema.items) : "anything"}`;
    return (schema.type ?? "anything") + this.limits(schema);
  }

  limits(schema) {
    const parts = [];
    if (schema.minimum !== undefined) parts.push(`≥ ${schema.minimum}`);
    if (schema.maximum !== undefined) parts.push(`≤ ${schema.maximum}`);
    if (schema.minLength) parts.push(`at least ${schema.minLength} characters`);
    if (schema.maxLength) parts.push(`at most ${schema.maxLength} characters`);
    if (schema.pattern) parts.push(schema.pattern);
    if (schema.maxProperties) parts.push(`at most ${schema.maxProperties} pairs`);
    return parts.length ? ` (${parts.join(", ")})` : "";
  }

  /** The fields of an object as a list; those with fields of their own open on demand. */
  tree(schema, above = []) {
    const objects = this.objectsIn(schema).filter((each) => !above.includes(each));
    return objects.map((object) => {
      const inside = this.resolve(object);
      const must = new Set(inside.required ?? []);
      const rows = Object.entries(inside.properties ?? {}).map(([name, field]) =>
        this.row(name, field, must.has(name), [...above, object, inside]),
      );
      const title = objects.length > 1 ? element("div", { class: "soft" }, shown(object) ?? "") : null;
      return element("div", {}, ...[title, element("ul", { class: "fields" }, ...rows)].filter(Boolean));
    });
  }

  row(name, field, must, above) {
    const line = [
      element("span", { class: "name" }, name),
      " ",
      element("span", { class: "kind" }, this.words(field) + fallback(field)),
      must ? element("span", { class: "must" }, " required") : "",
    ];
    if (!this.objectsIn(field).some((each) => !above.includes(this.resolve(each)))) {
      return element("li", { class: "field" }, ...line);
    }
    const details = element("details", {}, element("summary", {}, ...line));
    details.addEventListener("toggle", () => details.append(...this.tree(field, above)), { once: true });
    return element("li", { class: "field" }, details);
  }

  /** The objects with fields that a schema leads to, through arrays and choices. */
  objectsIn(schema) {
    return this.choices(schema).flatMap((choice) => {
      const inside = this.resolve(choice);
      if (inside.type === "array") return inside.items ? this.objectsIn(inside.items) : [];
      return inside.properties ? [choice] : [];
    });
  }

  /** A small value that fits: what is required, and `also` of the rest. */
  example(schema, also = []) {
    const inside = this.resolve(this.choices(schema)[0] ?? {});
    if (inside.const !== undefined) return inside.const;
    if (inside.enum) return inside.enum[0];
    if (inside.type === "array") return inside.items ? [this.example(inside.items)] : [];
    if (inside.type === "object") {
      const names = Object.keys(inside.properties ?? {});
      const chosen = names.filter((name) => (inside.required ?? []).includes(name) || also.includes(name));
      return Object.fromEntries(chosen.map((name) => [name, SAMPLES[name] ?? this.example(inside.properties[name])]));
    }
    return { integer: 1, number: 1, boolean: true }[inside.type] ?? "…";
  }
}

const SAMPLES = {
  assistant_id: "asst_…",
  content: "Hello!",
  metadata: { color: "green" },
  model: "default",
  name: "Guide",
  role: "user",
  tool_call_id: "call_…",
};

function fallback(field) {
  const plain = field.default !== undefined && field.default !== null && typeof field.default !== "object";
  return plain ? ` = ${JSON.stringify(field.default)}` : "";
}
