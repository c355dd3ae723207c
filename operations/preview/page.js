"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const at = (selector, from) => (from || document).querySelector(selector);
const all = (selector, from) => [...(from || document).querySelectorAll(selector)];
const SHOWN = 300;

function open(name) {
  all("main > section").forEach(each => { each.hidden = each.id !== `page-${name}`; });
  all("nav button").forEach(each => each.setAttribute("aria-selected", String(each.dataset.page === name)));
}
all("nav button").forEach(each => each.addEventListener("click", () => { location.hash = each.dataset.page; }));
const named = () => at(`#page-${CSS.escape(location.hash.slice(1) || "changes")}`) ? location.hash.slice(1) : "";
const show = () => open(named() || "changes");
window.addEventListener("hashchange", show);
show();

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
}
function search() {
  const words = at("#words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const stack = at("#stack").value, operation = at("#operation").value;
  const found = data.filter(([of, what, type, name]) => (!stack || of === stack) && (!operation || what === operation)
    && words.every(word => `${type} ${name}`.toLowerCase().includes(word)));
  const body = at("#found tbody");
  body.replaceChildren();
  for (const [of, what, type, name, component] of found.slice(0, SHOWN)) {
    const row = body.insertRow();
    cell(row, of); cell(row, what, what); cell(row, name); cell(row, type, "soft"); cell(row, component, "soft");
  }
  at("#count").textContent = found.length > SHOWN ? `${found.length} found, the first ${SHOWN} shown`
    : `${found.length} found`;
}
["words", "stack", "operation"].forEach(id => at(`#${id}`).addEventListener("input", search));
search();

function filter() {
  const words = at("#steps").value.toLowerCase().split(/\s+/).filter(Boolean);
  all("table.gantt").forEach(table => table.classList.toggle("all", at("#short").checked || words.length > 0));
  all("table.gantt tbody tr").forEach(row => {
    row.hidden = !words.every(word => row.dataset.words.includes(word));
  });
}
["steps", "short"].forEach(id => at(`#${id}`).addEventListener("input", filter));
filter();

all("svg.topology").forEach(drawing => {
  const choose = name => {
    drawing.classList.toggle("chosen", Boolean(name));
    const near = new Set([name]);
    all(".edge", drawing).forEach(edge => {
      const mine = edge.dataset.of === name || edge.dataset.to === name;
      edge.classList.toggle("near", mine);
      if (mine) { near.add(edge.dataset.of); near.add(edge.dataset.to); }
    });
    all(".box", drawing).forEach(box => box.classList.toggle("near", near.has(box.dataset.name)));
  };
  all(".box", drawing).forEach(box => {
    box.addEventListener("mouseenter", () => choose(box.dataset.name));
    box.addEventListener("focus", () => choose(box.dataset.name));
    box.addEventListener("mouseleave", () => choose(""));
    box.addEventListener("blur", () => choose(""));
  });
});
