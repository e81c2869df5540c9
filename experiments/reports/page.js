"use strict";
// Unpacks Plotly and the figures, which lie in this file, and draws each figure when it is about to be seen.
const unpack = async (id) => {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
};
const places = [...document.querySelectorAll("[data-figure]")];
const draw = (place, figure, size = { autosize: true }) => {
  place.dataset.drawn = "yes";
  // A figure does not catch the finger or the wheel that scrolls the page.
  const layout = { ...figure.layout, dragmode: false, ...size };
  return Plotly.newPlot(place, figure.data, layout, { responsive: true, displayModeBar: false, scrollZoom: false });
};
const PRINTED = 640; // pixels: what a printed page has room for
// Whoever prints has not seen every figure: those that are missing are drawn, and all are made as wide as the paper.
const forPaper = (figures) => {
  for (const place of places.filter((p) => p.offsetParent)) {
    if (place._fullLayout?._size) Plotly.relayout(place, { autosize: false, width: PRINTED });
    else draw(place, figures[place.dataset.figure], { autosize: false, width: PRINTED });
  }
};
// Drawn anew: Plotly cannot make a figure follow the page's width that was drawn at one of its own.
const forScreen = (figures) => {
  for (const place of places.filter((p) => p.dataset.drawn)) draw(place, figures[place.dataset.figure]);
};
(async () => {
  try {
    const script = document.createElement("script");
    script.nonce = document.currentScript?.nonce || document.querySelector("script[nonce]").nonce;
    script.textContent = await unpack("plotly");
    document.head.append(script);
    const figures = JSON.parse(await unpack("figures"));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((e) => e.isIntersecting)) {
        seen.unobserve(entry.target);
        if (!entry.target.dataset.drawn) draw(entry.target, figures[entry.target.dataset.figure]);
      }
    }, { rootMargin: "600px" });
    places.forEach((place) => seen.observe(place));
    addEventListener("beforeprint", () => forPaper(figures));
    addEventListener("afterprint", () => forScreen(figures));
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    for (const place of places) place.textContent = "This browser cannot draw the figure (" + error + "); the tables have its numbers.";
  }
})();
