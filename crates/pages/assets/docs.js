// Sends the calls that the forms of the page describe. The token stays in the page and goes nowhere but
// to this server.
const words = document.getElementById("ord").dataset;
const token = document.getElementById("token");
const state = document.getElementById("token-state");

// Who the token speaks for, as it says itself.
function claims(text) {
  try {
    const part = text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (it) => it.charCodeAt(0))));
  } catch {
    return undefined;
  }
}

function told() {
  const own = claims(token.value.trim());
  if (!own) return (state.textContent = token.value.trim() ? state.dataset.failed : state.dataset.none);
  const until = own.exp && new Date(own.exp * 1000).toLocaleTimeString("nb", { timeStyle: "short" });
  const who = own.name ?? own.client_id;
  state.textContent = `${state.dataset.who} ${who}${until ? `, ${state.dataset.until} ${until}` : ""}.`;
}
token.addEventListener("input", told);

document.getElementById("rolle")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    token.value = answer.ok ? (await answer.json()).access_token : "";
    told();
    if (!answer.ok) state.textContent = state.dataset.failed;
  } catch {
    state.textContent = words.failed;
  }
});

// The request that a form describes.
function request(form) {
  let path = form.dataset.path;
  let body = "";
  let media = "";
  let method = "";
  const query = new URLSearchParams();
  const headers = {};
  for (const field of form.querySelectorAll("[data-in]")) {
    const { value, name } = field;
    const place = field.dataset.in;
    if (place === "method") method = value;
    else if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value.trim()));
    else if (place === "media") media = value;
    else if (place === "body") body = value;
    else if (place === "more") new URLSearchParams(value).forEach((it, key) => query.append(key, it));
    else if (value.trim() && place === "query") query.append(name, value.trim());
    else if (value.trim()) headers[name] = value.trim();
  }
  if (query.size) path += `?${query}`;
  const sends = !["GET", "DELETE"].includes(method) && body.trim() !== "";
  if (sends) headers["Content-Type"] = media;
  return { method, path, headers, body: sends ? body : undefined };
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function curl(form) {
  const { method, path, headers, body } = request(form);
  const lines = [`curl -X ${method} ${quoted(location.origin + path)}`];
  if ("token" in form.dataset) lines.push(`-H "Authorization: Bearer $TOKEN"`);
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) lines.push(`--data-binary ${quoted(body)}`);
  form.querySelector(".curl pre").textContent = lines.join(" \\\n  ");
}

// JSON with its names, texts and numbers marked; all else as it is.
function show(place, text, media) {
  place.replaceChildren();
  let pretty = text;
  if (media.includes("json") && !media.includes("ndjson")) {
    try {
      pretty = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Shown as it came.
    }
  }
  if (!media.includes("json") || pretty.length > 200_000) return place.append(pretty);
  const marks = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  let from = 0;
  for (const found of pretty.matchAll(marks)) {
    const whole = found[1] ?? found[0];
    const mark = document.createElement("span");
    mark.className = found[2] ? "name" : found[1] ? "text" : "value";
    mark.textContent = whole;
    place.append(pretty.slice(from, found.index), mark);
    from = found.index + whole.length;
  }
  place.append(pretty.slice(from));
}

function size(text) {
  const bytes = new TextEncoder().encode(text).length;
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toLocaleString("nb", { maximumFractionDigits: 1 })} kB`;
}

async function send(form) {
  const outcome = form.querySelector(".outcome");
  const answer = form.querySelector(".answer");
  const { method, path, headers, body } = request(form);
  const own = token.value.trim();
  if ("token" in form.dataset && own) headers.Authorization = `Bearer ${own}`;
  outcome.className = "outcome";
  outcome.textContent = words.sending;
  form.setAttribute("aria-busy", "true");
  const started = performance.now();
  try {
    const got = await fetch(path, { method, headers, body, credentials: "omit", cache: "no-store" });
    const text = await got.text();
    const spent = Math.round(performance.now() - started);
    outcome.classList.add(got.ok ? "good" : "bad");
    const hint = got.status === 401 && !own ? ` ${words.token}` : "";
    const status = document.createElement("b");
    status.textContent = `${got.status} ${got.statusText}`.trim();
    outcome.replaceChildren(status, ` ${spent} ms, ${size(text)}.${hint}`);
    show(answer.querySelector("pre"), text || words.empty, got.headers.get("content-type") ?? "");
    const heads = [...got.headers].map(([name, value]) => `${name}: ${value}`);
    answer.querySelector(".heads").textContent = heads.join("\n");
    answer.hidden = false;
  } catch {
    outcome.classList.add("bad");
    outcome.textContent = words.failed;
    answer.hidden = true;
  }
  form.removeAttribute("aria-busy");
}

for (const form of document.querySelectorAll("form.try")) {
  const media = form.querySelector('[data-in="media"]');
  media?.addEventListener("change", () => {
    form.querySelector('[data-in="body"]').value = media.selectedOptions[0].dataset.example;
  });
  form.addEventListener("input", () => curl(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  const copy = form.querySelector(".curl button");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(form.querySelector(".curl pre").textContent);
    copy.textContent = copy.dataset.done;
  });
  curl(form);
}

// An address may name a call: it is opened, and so is each that is gone to later.
function open() {
  const call = document.getElementById(location.hash.slice(1))?.closest("details.call");
  if (!call) return;
  call.open = true;
  call.scrollIntoView();
}
addEventListener("hashchange", open);
open();
