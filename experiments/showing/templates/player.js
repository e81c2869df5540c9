"use strict";
const place = document.getElementById("steps"), slider = document.getElementById("slider"), words = document.getElementById("words");
const count = document.getElementById("count"), play = document.getElementById("play"), ended = document.getElementById("ended");
let at = 0, timer = 0, follows = place.dataset.live === "yes";
const steps = () => place.children;
function show(i) {
  if (!steps().length) return;
  at = Math.max(0, Math.min(steps().length - 1, i));
  for (let k = 0; k < steps().length; k++) steps()[k].hidden = k !== at;
  slider.max = steps().length;
  slider.value = at + 1;
  slider.setAttribute("aria-valuetext", `step ${at + 1} of ${steps().length}`);
  count.textContent = `${at + 1} of ${steps().length}`;
  words.textContent = steps()[at].dataset.words;
}
function go(i) { follows = i >= steps().length - 1 && place.dataset.live === "yes"; show(i); }
function stop() { clearInterval(timer); timer = 0; play.textContent = "play"; }
function toggle() {
  if (timer) return stop();
  if (at === steps().length - 1) show(0);
  play.textContent = "stop";
  timer = setInterval(() => { if (at >= steps().length - 1) stop(); else go(at + 1); }, 900);
}
document.getElementById("back").addEventListener("click", () => { stop(); go(at - 1); });
document.getElementById("on").addEventListener("click", () => { stop(); go(at + 1); });
play.addEventListener("click", toggle);
slider.addEventListener("input", () => { stop(); go(Number(slider.value) - 1); });
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = { ArrowLeft: at - 1, PageUp: at - 1, ArrowRight: at + 1, PageDown: at + 1, Home: 0, End: steps().length - 1 };
  if (event.key in moves) { event.preventDefault(); stop(); go(moves[event.key]); }
  else if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); toggle(); }
});
async function more() {
  try {
    const answer = await (await fetch(`/steps?from=${steps().length}`)).json();
    for (const step of answer.steps) {
      const box = document.createElement("div");
      box.className = "step";
      box.dataset.words = step.words;
      box.innerHTML = step.svg;
      box.hidden = true;
      place.append(box);
    }
    if (answer.steps.length) show(follows ? steps().length - 1 : at);
    ended.textContent = answer.ended;
    if (answer.over) { place.dataset.live = "no"; return; }
  } catch (error) { ended.textContent = "The program that served this page has ended."; return; }
  setTimeout(more, 400);
}
if (place.dataset.live === "yes") more(); else show(0);
