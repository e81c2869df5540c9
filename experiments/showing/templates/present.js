"use strict";
const screens = [...document.querySelectorAll(".screen")], slider = document.getElementById("slider");
const count = document.getElementById("count"), live = document.body.dataset.live === "yes", asked = new Set();
let at = Math.max(0, screens.findIndex(screen => "#" + screen.id === location.hash));
const steps = screen => [...screen.querySelectorAll(".step")];
function frame(screen, i) {
  const all = steps(screen);
  if (!all.length) return;
  const now = Math.max(0, Math.min(all.length - 1, i));
  all.forEach((each, k) => { each.hidden = k !== now; });
  const place = all.length > 1 ? ` (${now + 1} of ${all.length})` : "";
  screen.querySelector("figcaption").textContent = all[now].dataset.words + place;
}
const current = screen => steps(screen).findIndex(each => !each.hidden);
async function fill(i) {
  const screen = screens[i];
  if (!screen || !live || asked.has(i)) return;
  asked.add(i);
  try {
    const answer = await (await fetch(`/picture?claim=${screen.id}`)).json();
    for (const found of answer.steps) {
      const box = document.createElement("div");
      box.className = "step";
      box.dataset.words = found.words;
      box.innerHTML = found.svg;
      box.hidden = true;
      screen.querySelector(".steps").append(box);
    }
    frame(screen, 0);
  } catch (error) { screen.querySelector("figcaption").textContent = "The program that served this page has ended."; }
}
async function show(i) {
  at = Math.max(0, Math.min(screens.length - 1, i));
  screens.forEach((screen, k) => { screen.hidden = k !== at; });
  slider.value = at + 1;
  slider.setAttribute("aria-valuetext", `claim ${screens[at].id}, ${at + 1} of ${screens.length}`);
  count.textContent = `${at + 1} of ${screens.length}`;
  history.replaceState(null, "", "#" + screens[at].id);
  scrollTo(0, 0);
  await fill(at);
  frame(screens[at], current(screens[at]) < 0 ? 0 : current(screens[at]));
  await fill(at + 1);
}
document.getElementById("back").addEventListener("click", () => show(at - 1));
document.getElementById("on").addEventListener("click", () => show(at + 1));
slider.addEventListener("input", () => show(Number(slider.value) - 1));
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = { ArrowLeft: at - 1, PageUp: at - 1, ArrowRight: at + 1, PageDown: at + 1, Home: 0, End: screens.length - 1 };
  if (event.key === " " && event.target.tagName !== "BUTTON") moves[" "] = at + 1;
  if (event.key in moves) { event.preventDefault(); show(moves[event.key]); }
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    frame(screens[at], current(screens[at]) + (event.key === "ArrowDown" ? 1 : -1));
  }
});
show(at);
