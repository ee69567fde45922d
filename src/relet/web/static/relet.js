// Pages work without this. It makes them live, and quick to use by keyboard.
"use strict";
(() => {
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const base = document.body.dataset.base;

  // ── patches: what the server has drawn anew is put in place, and what people are at is left alone ──
  const typing = (node) => node instanceof Element && node.matches("input, textarea, select");
  const selecting = (region) => {
    const chosen = getSelection();
    return chosen && !chosen.isCollapsed && region.contains(chosen.anchorNode);
  };
  const keyOf = (node) => (node.nodeType === 1 ? node.dataset.k : undefined);

  function patch(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      if (!old.contains(document.activeElement)) old.replaceWith(fresh);
      return;
    }
    if (old.nodeType !== 1) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    if (typing(old)) return; // what is being filled in is the reader's
    const kept = old.nodeName === "DETAILS" ? "open" : "class";
    for (const { name, value } of [...fresh.attributes]) {
      if (name === kept && kept === "open") continue;
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== kept) old.removeAttribute(name);
    patchAll(old, fresh);
  }

  function patchAll(old, fresh) {
    const keyed = new Map(all(":scope > [data-k]", old).map((node) => [node.dataset.k, node]));
    let at = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const key = keyOf(next);
      const known = key === undefined ? null : keyed.get(key);
      if (known) {
        keyed.delete(key);
        while (at && at !== known && keyOf(at) !== undefined && !keyed.has(keyOf(at))) at = at.nextSibling;
        if (known === at) at = at.nextSibling;
        else if (!known.contains(document.activeElement)) old.insertBefore(known, at); // moving it would take the focus
        patch(known, next);
      } else if (key === undefined && at && keyOf(at) === undefined) {
        const after = at.nextSibling;
        patch(at, next);
        at = after;
      } else {
        const added = old.insertBefore(next, at);
        if (key !== undefined && added.classList) added.classList.add("flash");
      }
    }
    for (const gone of keyed.values()) if (!gone.contains(document.activeElement)) gone.remove();
    while (at) {
      const after = at.nextSibling;
      if (keyOf(at) === undefined && !at.contains(document.activeElement)) at.remove();
      at = after;
    }
  }

  // ── lists that somebody reads: rows change where they stand, new ones wait until they are asked for ──
  let waiting = null;
  function hold(region, fresh) {
    const rows = new Map(all("tbody > tr", fresh).map((row) => [row.dataset.k, row]));
    const shown = all("tbody > tr", region);
    if (!shown.length) return patchAll(region, fresh);
    for (const row of shown) {
      const next = rows.get(row.dataset.k);
      row.classList.toggle("gone", !next);
      if (next) patch(row, next.cloneNode(true));
    }
    const known = new Set(shown.map((row) => row.dataset.k));
    const more = [...rows.keys()].filter((key) => !known.has(key)).length;
    waiting = fresh;
    const pill = one("#new");
    pill.hidden = more === 0;
    if (more) pill.textContent = `${more}${more === rows.size ? "+" : ""} new`;
  }

  function put(name, html) {
    const region = one(`[data-live="${name}"]`);
    if (!region || selecting(region)) return;
    const made = document.createElement("template");
    made.innerHTML = html;
    if ("hold" in region.dataset) hold(region, made.content);
    else patchAll(region, made.content);
    picked();
  }

  one("#new")?.addEventListener("click", (event) => {
    patchAll(one("[data-hold]"), waiting);
    all("tr.gone").forEach((row) => row.classList.remove("gone"));
    event.target.hidden = true;
    picked();
  });

  // ── live ──
  const light = one("#live");
  let stream = null;
  let paused = false;
  let gone = 0;
  function shine(state, word) {
    if (!light) return;
    light.dataset.state = state;
    if (light.lastElementChild.textContent !== word) light.lastElementChild.textContent = word;
  }
  function listen() {
    if (stream || paused || document.hidden || !document.body.dataset.events) return;
    stream = new EventSource(document.body.dataset.events);
    stream.onopen = () => clearTimeout(gone);
    stream.onerror = () => {
      const word = stream.readyState === EventSource.CLOSED ? "Not live" : "Reconnecting";
      clearTimeout(gone); // a stream ends once a minute; only one that stays away is told of
      gone = setTimeout(() => shine("away", word), 1500);
    };
    stream.addEventListener("patch", (event) => {
      clearTimeout(gone);
      for (const [name, html] of Object.entries(JSON.parse(event.data))) put(name, html);
      shine("live", "Live");
    });
    stream.addEventListener("trouble", (event) => shine("away", JSON.parse(event.data)));
  }
  function deaf() {
    stream?.close();
    stream = null;
  }
  function pause() {
    if (!light) return;
    paused = !paused;
    if (paused) deaf();
    else listen();
    shine(paused ? "paused" : "live", paused ? "Paused" : "Live");
  }
  if (light) {
    light.hidden = false;
    light.title = "Pause or go on (p)";
    light.addEventListener("click", pause);
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? deaf() : listen()));
  addEventListener("pagehide", deaf);
  addEventListener("pageshow", listen);
  listen();

  // ── how it looks ──
  one("[data-looks]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    const root = document.documentElement;
    const now = button.name === "theme" ? root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : root.dataset.density;
    const [a, b] = button.name === "theme" ? ["dark", "light"] : ["compact", "comfortable"];
    root.dataset[button.name] = now === a ? b : a;
    const said = new FormData(event.target);
    said.set(button.name, root.dataset[button.name]);
    fetch(event.target.action, { method: "POST", body: new URLSearchParams(said), redirect: "manual" });
  });

  // ── selecting rows ──
  const boxes = () => all("[data-pick] tbody input[type=checkbox]");
  function picked() {
    const words = one("[data-picked]");
    if (!words) return;
    const chosen = boxes().filter((box) => box.checked);
    const jobs = chosen.reduce((sum, box) => sum + Number(box.dataset.count || 1), 0);
    const causes = chosen.some((box) => box.name === "causes") ? `${chosen.length} ${chosen.length === 1 ? "cause" : "causes"}, ` : "";
    words.textContent = chosen.length ? `${causes}${jobs.toLocaleString("en")} ${jobs === 1 ? "job" : "jobs"}` : "Nothing selected";
    one("[data-pick] .bulk").hidden = !chosen.length;
    all("[data-pick] .bulk button").forEach((button) => (button.disabled = !chosen.length));
    const retry = one('[data-pick] .bulk [data-act="r"]');
    if (retry) retry.textContent = chosen.length ? `Retry ${jobs.toLocaleString("en")}` : "Retry";
  }
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !boxes().includes(box)) return;
    if (event.shiftKey && last) span(last, box);
    last = box;
    picked();
  });
  function span(from, to) {
    const every = boxes();
    const [low, high] = [every.indexOf(from), every.indexOf(to)].sort((a, b) => a - b);
    if (low >= 0) every.slice(low, high + 1).forEach((box) => (box.checked = to.checked));
  }
  document.addEventListener("change", picked);
  picked();

  // ── copying ──
  for (const text of all("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text); // not on plain http: ready for the reader's own keys
        button.textContent = "Selected";
      }
    });
    text.after(button);
  }

  // ── keys ──
  const rows = () => all("[data-rows] tbody tr");
  const current = () => rows().findIndex((row) => row.classList.contains("at"));
  function step(by) {
    const every = rows();
    if (!every.length) return;
    const at = current();
    every[at]?.classList.remove("at");
    const row = every[Math.min(every.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    row.classList.add("at");
    row.scrollIntoView({ block: "nearest" });
    one("a.open", row)?.focus({ preventScroll: true });
  }
  function select(ranged) {
    const box = one("input[type=checkbox]", rows()[current()] || document.createElement("i"));
    if (!box) return;
    box.checked = !box.checked;
    if (ranged && last) span(last, box);
    last = box;
    picked();
  }
  const help = one("#help");
  one("#keys").hidden = false;
  one("#keys").addEventListener("click", () => help.showModal());
  const press = (key) => one(`[data-act="${key}"]:not(:disabled)`)?.click();
  const commands = {
    "/": () => one("#q")?.select(),
    "?": () => help.showModal(),
    j: () => step(1),
    k: () => step(-1),
    x: () => select(false),
    X: () => select(true),
    p: pause,
    t: () => one("#theme").click(),
    a: () => press("a"),
    r: () => press("r"),
    c: () => press("c"),
    e: () => press("e"),
    Escape: () => all("tr.at").forEach((row) => row.classList.remove("at")),
  };
  let going = 0;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "k") {
      event.preventDefault();
      return one("#q")?.select();
    }
    if (event.metaKey || event.ctrlKey || event.altKey || help.open) return;
    if (typing(event.target) && event.target.type !== "checkbox") return event.key === "Escape" && event.target.blur();
    if (going && event.timeStamp - going < 1200) {
      going = 0;
      const link = one(`.links a[data-key="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        return (location.href = link.href);
      }
    }
    if (event.key === "g") return (going = event.timeStamp);
    const run = commands[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  });
})();
