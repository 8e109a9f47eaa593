/** A request → the lines that send it from a shell, from Python and from JavaScript. */

const KEY = "VITRINE_API_KEY";
export const LANGUAGES = { curl: curlCommand, Python: pythonCode, JavaScript: javascriptCode };

/** Posts a file or JSON, or gets. */
export function curlCommand(url, { file, json, withKey = false } = {}) {
  const options = [
    file && `--data-binary ${quoted(`@${file}`)}`,
    json && `${json.stream ? "-N " : ""}-d ${quoted(JSON.stringify(json, null, 1).replaceAll(/\n\s*/g, " "))}`,
    withKey && `-H "X-API-Key: $${KEY}"`,
  ];
  return `curl ${[...options.filter(Boolean), quoted(url)].join(" \\\n  ")}`;
}

/** The same with the package `requests`. */
export function pythonCode(url, { file, json, withKey = false } = {}) {
  const given = [
    file && `data=open(${JSON.stringify(file)}, "rb")`,
    json && `json=${pythonLiteral(json)}`,
    withKey && `headers={"X-API-Key": os.environ["${KEY}"]}`,
    json?.stream && "stream=True",
  ].filter(Boolean);
  const call = `answer = requests.${file || json ? "post" : "get"}(\n    ${[JSON.stringify(url), ...given].join(",\n    ")},\n)`;
  const use = json?.stream ? "for line in answer.iter_lines():\n    print(line.decode())" : "print(answer.json())";
  return [withKey ? "import os\n\nimport requests" : "import requests", "", call, use].join("\n");
}

/** The same with `fetch`; a file is what an `<input type=file>` holds. */
export function javascriptCode(url, { file, json, withKey = false } = {}) {
  const given = [
    (file || json) && 'method: "POST"',
    file && "body: file",
    json && `body: JSON.stringify(${JSON.stringify(json, null, 1).replaceAll(/\n\s*/g, " ")})`,
    withKey && 'headers: { "X-API-Key": key }',
  ].filter(Boolean);
  const options = given.length ? `, {\n  ${given.join(",\n  ")},\n}` : "";
  const read = json?.stream ? "for await (const bytes of answer.body) console.log(new TextDecoder().decode(bytes));"
    : "console.log(await answer.json());";
  return [...(file ? ['const [file] = document.querySelector("input[type=file]").files;'] : []),
    `const answer = await fetch(${JSON.stringify(url)}${options});`, read].join("\n");
}

function pythonLiteral(value) {
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${pythonLiteral(each)}`).join(", ")}}`;
}

function quoted(text) {
  return /^[\w@./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
