// Shows status.json, which the synthetic checks write: {"updatedAt": ISO time, "checks": [{"name", "state": "up"|"down",
// "since": ISO time}]}. Older than STALE_MINUTES it says nothing about now.
"use strict";
const STALE_MINUTES = 15;
const REFRESH_SECONDS = 60;

function say(text, state) {
  const summary = document.getElementById("summary");
  summary.textContent = text;
  summary.className = state;
}

function row(check) {
  const line = document.createElement("tr");
  for (const [text, style] of [[check.name], [check.state, check.state], [new Date(check.since).toLocaleString()]]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    if (style) cell.className = style === "up" ? "up" : "down";
    line.appendChild(cell);
  }
  return line;
}

async function refresh() {
  try {
    const answer = await fetch("/status.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`status.json: ${answer.status}`);
    const { updatedAt, checks } = await answer.json();
    document.getElementById("checks").replaceChildren(...checks.map(row));
    const minutes = (Date.now() - Date.parse(updatedAt)) / 60000;
    const down = checks.filter((check) => check.state !== "up").length;
    if (minutes > STALE_MINUTES) say(`The last check was ${Math.round(minutes)} minutes ago.`, "unknown");
    else if (down) say(`${down} of ${checks.length} checks fail.`, "down");
    else say("All checks pass.", "up");
  } catch (error) {
    say("No check has reported yet.", "unknown");
  }
}

refresh();
setInterval(refresh, REFRESH_SECONDS * 1000);
