// What a page does by itself: countdowns, new cases, sound, stale data, the session's end, keys. Everything else is HTML.
(() => {
  const $ = (id) => document.getElementById(id), all = (css, root = document) => [...root.querySelectorAll(css)];
  const live = $("live"), news = $("news"), title = document.title, MINUTE = 60e3, DAY = 1440 * MINUTE;
  const setText = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const clock = (ms) => new Date(ms).toTimeString().slice(0, 5);
  const words = (ms) => {  // as words.duration() says it
    const minutes = Math.max(1, Math.ceil(ms / MINUTE));
    if (minutes < 60) return `${minutes} min`;
    return minutes < 2880 ? `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}` : `${Math.floor(ms / DAY)} days`;
  };
  const cases = (root) => new Map(all("tr[data-case]", root).map((row) => [row.id, row]));
  const redFlags = (root) => all("tr[data-red]", root), emergencies = (rows) => rows.filter((row) => row.dataset.red === "Emergency");
  let known = new Set(live ? redFlags(live).map((row) => row.id) : []), held = false, refreshedAt = Date.now(), rangAt = 0, context = null;

  const tone = () => {
    if (!context || Date.now() - rangAt < MINUTE) return;
    rangAt = Date.now();
    [660, 880].forEach((pitch, place) => {
      const oscillator = context.createOscillator(), gain = context.createGain(), at = context.currentTime + place * 0.22;
      oscillator.frequency.value = pitch;
      gain.gain.setValueAtTime(Number($("volume")?.value ?? 50) / 200 + 0.001, at);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
      oscillator.connect(gain).connect(context.destination).context && (oscillator.start(at), oscillator.stop(at + 0.2));
    });
    document.documentElement.dataset.tones = Number(document.documentElement.dataset.tones || 0) + 1;
  };
  const announce = (root) => {  // once for each new red flag, at once, also while the table is held
    const waiting = redFlags(root), fresh = waiting.filter((row) => !known.has(row.id));
    document.title = waiting.length ? `(${waiting.length}) ${title}` : title;
    if (fresh.length) {
      const row = fresh[0], more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
      setText($("alarm"), `New ${row.dataset.red.toLowerCase()}: ${row.dataset.case}, ${row.querySelector(".why").textContent}${more}`);
      $("alarm").hidden = false;
    } else if (!waiting.length) $("alarm").hidden = true;
    if (emergencies(fresh).length) tone();
    fresh.forEach((row) => known.add(row.id));
  };
  if (live) {
    const handRests = () => (live.matches(":hover") && matchMedia("(hover: hover)").matches) || live.contains(document.activeElement);
    const release = () => { if (held) { held = false; news.hidden = true; live._htmx.ptag = ""; htmx.trigger(live, "refresh"); } };
    const isOurs = (ctx, most) => ctx.sourceElement === live && ctx.response.status < most;
    document.addEventListener("htmx:before:response", ({ detail: { ctx } }) => { if (isOurs(ctx, 400)) refreshedAt = Date.now(); });
    document.addEventListener("htmx:before:swap", (event) => {
      if (!isOurs(event.detail.ctx, 300)) return;
      const drawn = new DOMParser().parseFromString(event.detail.ctx.text, "text/html"), after = cases(drawn);
      const added = [...after.values()].filter((row) => !$(row.id)), gone = [...cases(live).keys()].some((id) => !after.has(id));
      announce(drawn);
      if (!news || !handRests() || !(added.length || gone)) return;
      event.preventDefault();
      held = true;
      const red = emergencies(added).length;
      setText(news, added.length ? `${added.length} new${red ? `, ${red} emergency` : ""}: show` : "The list has changed: show");
      setText($("status"), news.textContent);
      news.hidden = false;
    });
    news?.addEventListener("click", release);
    live.addEventListener("pointerleave", () => { if (!live.contains(document.activeElement)) release(); });
    live.addEventListener("focusout", () => setTimeout(() => { if (!handRests()) release(); }));
    announce(live);
  }
  const isStale = () => live && Date.now() - refreshedAt > Math.max(3 * live.dataset.interval * 1000, 6000);
  const session = document.body.dataset, ends = Date.parse(session.expires);
  let usedAt = Date.now();
  const watchSession = async () => {  // an asked page names a version, as a poll does, so asking does not extend the session
    const at = Math.min(usedAt + session.idle * 1000, ends), left = at - Date.now();
    if (left < 2 * MINUTE) setText($("expiry-text"), `You will be signed out at ${clock(at)}.`);
    $("expiry").hidden = left >= 2 * MINUTE;
    if (left > -5000) return;
    usedAt = Date.now();
    const answer = await fetch(location.href, { headers: { "HX-PTag": "-" } });
    if (answer.redirected) location.assign(answer.url);
  };
  $("stay")?.addEventListener("click", () => fetch(location.href).then(() => { usedAt = Date.now(); }));
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
    if (isStale()) setText($("stale"), `Not updated since ${clock(refreshedAt)}`);
    $("stale").hidden = !isStale();
    setText($("connection"), isStale() ? "Not connected" : "Connected");
    if (emergencies(redFlags(live)).length) tone();
  };
  setInterval(tick, 1000);
  tick();
  document.addEventListener("submit", (event) => {
    const form = event.target, ask = $("stale-ask");
    if (!form.matches("[data-act]") || !isStale() || form.dataset.sure) return;
    event.preventDefault();
    ask.onclose = () => { if (ask.returnValue === "act") { form.dataset.sure = "yes"; form.requestSubmit(); } };
    ask.returnValue = "";
    ask.showModal();
  });
  $("sound")?.addEventListener("click", (event) => {
    context = context ? (context.close(), null) : new AudioContext();
    event.target.setAttribute("aria-pressed", String(Boolean(context)));
    all("[data-sound]").forEach((each) => { each.hidden = !context; });
  });
  $("test-sound")?.addEventListener("click", () => { rangAt = 0; tone(); });
  $("print")?.addEventListener("click", () => print());

  const off = $("shortcuts-off");
  if (off) off.checked = localStorage.getItem("shortcuts") === "off";
  off?.addEventListener("change", () => localStorage.setItem("shortcuts", off.checked ? "off" : "on"));
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey || !off || off.checked) return;
    const links = all("a.ref"), at = links.indexOf(document.activeElement);
    if (event.key === "j") links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === "k") links[Math.max(at - 1, 0)]?.focus();
    else if (event.key === "/") $("search")?.focus();
    else if (event.key === "?") $("shortcuts").showModal();
    else return;
    event.preventDefault();
  });
})();
