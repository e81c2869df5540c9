"use strict";
// Draws each figure when it is about to be seen. Plotly is 5 MB: it is loaded by the first figure, from beside this file.
{
  const here = document.currentScript.src;
  let loaded = null;
  const plotly = () => loaded ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: new URL("plotly.min.js", here).href, onload: resolve, onerror: reject });
    document.head.append(script);
  });
  const draw = async (place) => {
    try {
      await plotly();
      const figure = JSON.parse(place.dataset.figure);
      // A figure does not catch the finger or the wheel that scrolls the page.
      const layout = { ...figure.layout, dragmode: false, autosize: true };
      await Plotly.newPlot(place, figure.data, layout, { responsive: true, displayModeBar: false, scrollZoom: false });
    } catch (error) {
      place.textContent = "This browser cannot draw the figure (" + error + "); the tables have its numbers.";
    }
  };
  const begin = () => {
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((e) => e.isIntersecting)) {
        seen.unobserve(entry.target);
        draw(entry.target);
      }
    }, { rootMargin: "600px" });
    document.querySelectorAll("[data-figure]").forEach((place) => seen.observe(place));
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
}
