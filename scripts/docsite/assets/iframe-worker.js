"use strict";
// A page that was opened from a folder may start no worker, and the search is one: a hidden frame does its work.
if (location.protocol === "file:") {
  // The search looks for this name, and takes the place of its own files from the frame's first script.
  window.Worker = window.IFrameWorker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      const load = (script) => new Promise((resolve, reject) => {
        const element = inside.document.createElement("script");
        Object.assign(element, { src: script, onload: resolve, onerror: reject });
        inside.document.body.append(element);
      });
      inside.importScripts = (...scripts) => scripts.reduce((before, next) => before.then(() => load(next)), Promise.resolve());
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside = inside;
      this.ready = load(address);
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
}
