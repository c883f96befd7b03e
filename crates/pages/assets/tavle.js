// Keeps a ward's board up to date: listens for changed patients and replaces their lines.
const board = document.getElementById("tavle");
const state = document.getElementById("tilstand");
const says = document.getElementById("melding");
const ago = new Intl.RelativeTimeFormat("nb");
const turns = new Map();

function find(person) {
  return [...board.children].find((row) => row.dataset.person === person);
}

// Keeps the order by risk, but moves nothing while somebody works in the list.
function place(row, old, busy) {
  if (old && busy) return old.replaceWith(row);
  old?.remove();
  const rank = Number(row.dataset.rank);
  const after = [...board.children].find((other) => Number(other.dataset.rank) < rank);
  board.insertBefore(row, after ?? null);
}

async function refresh(person) {
  const turn = (turns.get(person) ?? 0) + 1;
  turns.set(person, turn);
  try {
    const answer = await fetch(board.dataset.rows + encodeURIComponent(person));
    const text = await answer.text();
    // A later event has asked again: only the last answer counts.
    if (turns.get(person) !== turn) return;
    const old = find(person);
    if (answer.status === 404) return old?.remove();
    if (!answer.ok || answer.redirected) return lost();
    const page = new DOMParser().parseFromString(text, "text/html");
    const row = page.querySelector("li[data-person]");
    if (row?.dataset.person !== person) return;
    const focused = old?.contains(document.activeElement);
    place(row, old, board.contains(document.activeElement) || board.matches(":hover"));
    row.classList.add("changed");
    if (focused) row.querySelector("a")?.focus({ preventScroll: true });
    says.textContent = row.dataset.say;
  } catch {
    lost();
  }
}

function lost() {
  state.textContent = state.dataset.off;
  state.classList.add("lost");
}

function age() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60000);
    if (minutes < 1) continue;
    if (minutes < 60) time.textContent = ago.format(-minutes, "minute");
    else if (minutes < 1440) time.textContent = ago.format(-Math.floor(minutes / 60), "hour");
    else time.textContent = ago.format(-Math.floor(minutes / 1440), "day");
  }
}

let broken = false;
const events = new EventSource(board.dataset.events);
events.onopen = () => {
  state.textContent = state.dataset.on;
  state.classList.remove("lost");
  // What changed, and who came, while the line was down is not known: the board is read anew.
  if (broken) location.reload();
};
events.onerror = () => {
  broken = true;
  lost();
};

// A round of measurements is many changes of one patient, and every look is logged: one is enough.
const changed = new Set();
events.onmessage = (event) => {
  if (changed.size === 0) setTimeout(refreshChanged, 100);
  changed.add(event.data.trim());
};

function refreshChanged() {
  for (const person of changed) refresh(person);
  changed.clear();
}

setInterval(age, 30000);
