// What a page does by itself: countdowns, new cases, sound, stale data, the session's end, keys. Everything else is HTML.
(() => {
  const $ = (id) => document.getElementById(id), on = (element, happens, act) => element?.addEventListener(happens, act);
  const all = (css, root = document) => [...root.querySelectorAll(css)], clock = (ms) => new Date(ms).toTimeString().slice(0, 5);
  const live = $("live"), news = $("news"), title = document.title, MINUTE = 60e3, DAY = 1440 * MINUTE;
  const setText = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const words = (ms, minutes = Math.max(1, Math.ceil(ms / MINUTE))) => (minutes < 60 ? `${minutes} min`  // as words.duration() says it
    : minutes < 2880 ? `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}` : `${Math.floor(ms / DAY)} days`);
  const cases = (root) => new Map(all("tr[data-case]", root).map((row) => [row.id, row]));
  const places = (root) => [...cases(root).keys(), all(".stuck li", root).length].join();  // what rows stand where
  const redFlags = (root) => all("tr[data-red]", root), emergencies = (rows) => rows.filter((row) => row.dataset.red === "Emergency");
  const known = new Set(live ? redFlags(live).map((row) => row.id) : []);
  let held = false, paused = false, refreshedAt = Date.now(), rangAt = 0, context = null, usedAt = Date.now(), session = document.body.dataset;
  const tone = () => {
    if (!context || Date.now() - rangAt < MINUTE) return;
    const oscillator = context.createOscillator(), gain = context.createGain(), at = context.currentTime;
    [660, 880].forEach((pitch, place) => oscillator.frequency.setValueAtTime(pitch, at + place * 0.2));
    gain.gain.setValueAtTime(Number($("volume")?.value ?? 50) / 200 + 0.001, at);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at); oscillator.stop(at + 0.5); rangAt = Date.now();
    document.documentElement.dataset.tones = Number(document.documentElement.dataset.tones || 0) + 1;
  };
  const announce = (root) => {  // once for each new red flag, at once, also while the table is held
    const waiting = redFlags(root), fresh = waiting.filter((row) => !known.has(row.id));
    const [row] = fresh, more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
    document.title = waiting.length ? `(${waiting.length}) ${title}` : title;
    if (row) setText($("alarm"), `New ${row.dataset.red.toLowerCase()}: ${row.dataset.case}, ${row.querySelector(".why").textContent}${more}`);
    $("alarm").hidden = !waiting.length || (!row && $("alarm").hidden);
    if (emergencies(fresh).length) tone();
    fresh.forEach(({ id }) => known.add(id));
  };
  if (live) {
    const handRests = () => paused || (live.matches(":hover") && matchMedia("(hover: hover)").matches) || live.contains(document.activeElement);
    const release = () => { if (held) { held = false; news.hidden = true; live._htmx.ptag = ""; htmx.trigger(live, "refresh"); } };
    const isOurs = (ctx, most) => ctx.sourceElement === live && ctx.response.status < most;
    on(document, "htmx:before:response", ({ detail: { ctx } }) => { if (isOurs(ctx, 400)) refreshedAt = Date.now(); });
    on(document, "htmx:before:swap", (event) => {
      if (!isOurs(event.detail.ctx, 300)) return;
      const drawn = new DOMParser().parseFromString(event.detail.ctx.text, "text/html");
      const added = [...cases(drawn).values()].filter((row) => !$(row.id));
      announce(drawn);
      if (!news || !handRests() || places(drawn) === places(live)) return;
      event.preventDefault();
      const red = emergencies(added).length ? `, ${emergencies(added).length} emergency` : "";
      setText(news, added.length ? `${added.length} new${red}: show` : "The list has changed: show");
      setText($("status"), news.textContent, held = !(news.hidden = false));
    });
    on(news, "click", () => { if (paused) $("pause").click(); else release(); });
    on($("pause"), "click", () => { $("pause").ariaPressed = String(paused = !paused); if (!paused) release(); });
    ["pointerleave", "focusout"].forEach((left) => on(live, left, () => setTimeout(() => { if (!handRests()) release(); })));
    announce(live);
  }
  const isStale = () => live && Date.now() - refreshedAt > Math.max(3 * live.dataset.interval * 1000, 6000);
  const watchSession = () => {  // it asks as a poll does, which does not extend the session
    const at = Math.min(usedAt + session.idle * 1000, Date.parse(session.expires)), left = at - Date.now();
    if (!($("expiry").hidden = left >= 2 * MINUTE)) setText($("expiry-text"), `You will be signed out at ${clock(at)}.`);
    if (left > -5000) return;
    usedAt = Date.now();
    fetch(location.href, { headers: { "HX-PTag": "-" } }).then(({ redirected, url }) => { if (redirected) location.assign(url); });
  };
  on($("stay"), "click", () => fetch(location.href).then(() => { usedAt = Date.now(); }));
  const tick = () => {
    all("[data-due]").forEach((due) => {
      const left = new Date(due.dateTime) - Date.now();
      setText(due, left < 0 ? `Overdue ${words(-left)}` : words(left));
      due.className = `due due-${left < 0 ? "overdue" : left <= 5 * MINUTE ? "soon" : "later"}`;
    });
    all("time[title]:not([title*=here])").forEach((each) => { each.title += ` (${clock(each.dateTime)} here)`; });
    setText($("clock"), clock(Date.now()));
    if (session.expires) watchSession();
    if (!live) return;
    if (!($("stale").hidden = !isStale())) setText($("stale"), `Not updated since ${clock(refreshedAt)}`);
    setText($("connection"), isStale() ? "Not connected" : "Connected");
    if (emergencies(redFlags(live)).length) tone();
  };
  tick(setInterval(() => tick(), 1000));
  on(document, "submit", (event) => {
    const form = event.target, ask = $("stale-ask");
    if (!form.matches("[data-act]") || !isStale()) return;
    ask.onclose = () => { if (ask.returnValue === "act") form.submit(); };
    event.preventDefault(ask.returnValue = "", ask.showModal());
  });
  on($("sound"), "click", () => {
    $("sound").ariaPressed = String(Boolean(context = context ? (context.close(), null) : new AudioContext()));
    all("[data-sound]").forEach((each) => { each.hidden = !context; });
  });
  on($("test-sound"), "click", () => tone(rangAt = 0)), on($("print"), "click", () => print());
  const off = $("shortcuts-off"), languages = new Intl.DisplayNames(["en"], { type: "language" });
  const spell = ({ dataset: { language: tag } }) => { try { return `${languages.of(tag)} (${tag})`; } catch { return tag; } };
  all("[data-language]").forEach((each) => setText(each, spell(each)));
  if (off) off.checked = localStorage.shortcuts === "off", on(off, "change", () => { localStorage.shortcuts = off.checked ? "off" : "on"; });
  on(document, "keydown", (event) => {
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey || !off || off.checked) return;
    const links = all("a.ref"), at = links.indexOf(document.activeElement), move = (to) => links[Math.max(0, Math.min(to, links.length - 1))]?.focus();
    const keys = { j: () => move(at + 1), k: () => move(at - 1), "/": () => $("search")?.focus(), "?": () => $("shortcuts").showModal() };
    if (keys[event.key]) event.preventDefault(keys[event.key]());
  });
})();
