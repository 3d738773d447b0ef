// Keeps the status page up to date: fetches it again and puts in place what has changed, so that focus,
// scrolling, selection and opened parts stay. All else (filter, order, wording) is the server's; without this
// file the page says the same, as of its loading.
"use strict";

(() => {
  const INTERVAL = 2000; // milliseconds
  const PATIENCE = 5000; // until the gateway counts as not answering
  const live = document.getElementById("live");
  const said = document.createElement("span");
  const pause = document.createElement("button");
  let paused = false;
  let latest = 0; // the number of the newest request: an older answer that comes later is not shown

  function say(text, lost) {
    said.textContent = text;
    live.classList.toggle("lost", lost);
  }

  async function refresh() {
    const number = (latest += 1);
    try {
      const reply = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (!reply.ok) throw new Error(String(reply.status));
      const text = await reply.text();
      if (number !== latest) return;
      const page = new DOMParser().parseFromString(text, "text/html");
      document.title = page.title;
      for (const part of ["main", "footer", "#facts"]) {
        update(document.querySelector(part), page.querySelector(part));
      }
      say(`live, ${new Date().toLocaleTimeString([], { hour12: false })}`, false);
    } catch {
      if (number === latest) say("the gateway does not answer", true);
    }
  }

  // Makes `old` say what `fresh` says, element by element.
  function update(old, fresh) {
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      const kept = name === "open" || fresh.hasAttribute(name); // what was opened stays open
      if (!kept) old.removeAttribute(name);
    }
    const children = [...old.childNodes];
    const wanted = [...fresh.childNodes];
    wanted.forEach((child, index) => {
      const there = children[index];
      if (there === undefined) old.append(child);
      else if (there.nodeType !== child.nodeType || there.nodeName !== child.nodeName) there.replaceWith(child);
      else if (child.nodeType === Node.TEXT_NODE) {
        if (there.data !== child.data) there.data = child.data;
      } else update(there, child);
    });
    children.slice(wanted.length).forEach((child) => child.remove());
  }

  function show(address) {
    history.replaceState(null, "", address);
    refresh();
  }

  // A link or a filter that only changes the view needs no new page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("main a[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    show(link.href);
  });

  function filter(form) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) query.set(name, value);
    show(`/-/?${query}`);
  }

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    filter(event.target);
  });

  let typing = 0;
  document.addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => filter(event.target.form), 150);
  });

  pause.type = "button";
  pause.textContent = "Pause";
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    if (paused) say("paused", false);
    else refresh();
  });

  live.replaceChildren(said, pause);
  setInterval(() => {
    if (!paused && !document.hidden) refresh();
  }, INTERVAL);
  refresh();
})();
