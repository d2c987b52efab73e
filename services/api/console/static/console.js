// What a page does by itself: countdowns, new cases, sound, stale data, keys. Everything else is HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const live = $("live"), news = $("news"), title = document.title;
  const MINUTE = 60e3, HOUR = 3600e3, DAY = 86400e3;

  const words = (ms) => {  // as words.duration() says it
    const minutes = Math.max(1, Math.ceil(ms / MINUTE));
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
    return `${Math.floor(ms / DAY)} days`;
  };
  const setText = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

  // Cases that stand on the page, and those among them that are red flags nobody has acknowledged.
  const cases = (root) => new Map([...root.querySelectorAll("tr[data-case]")].map((row) => [row.id, row]));
  const redFlags = (root) => [...cases(root).values()].filter((row) => row.dataset.red);
  let known = new Set(live ? cases(live).keys() : []), held = null, refreshedAt = Date.now(), rangAt = 0, context = null;

  const tone = () => {
    if (!context || Date.now() - rangAt < MINUTE) return;
    rangAt = Date.now();
    [660, 880].forEach((pitch, place) => {
      const oscillator = context.createOscillator(), gain = context.createGain(), at = context.currentTime + place * 0.22;
      oscillator.frequency.value = pitch;
      gain.gain.setValueAtTime(0.25, at);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(at);
      oscillator.stop(at + 0.2);
    });
    document.documentElement.dataset.tones = Number(document.documentElement.dataset.tones || 0) + 1;
  };
  const announce = (root) => {  // once for each new red flag, at once, also while the table is held
    const fresh = redFlags(root).filter((row) => !known.has(row.id));
    const waiting = redFlags(root).length;
    document.title = waiting ? `(${waiting}) ${title}` : title;
    if (fresh.length) {
      const row = fresh[0], more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
      setText($("alarm"), `New ${row.dataset.red.toLowerCase()}: ${row.dataset.case}, ${row.querySelector(".why").textContent}${more}`);
      $("alarm").hidden = false;
    } else if (!waiting) $("alarm").hidden = true;
    if (fresh.some((row) => row.dataset.red === "Emergency")) tone();
    fresh.forEach((row) => known.add(row.id));
  };

  if (live) {
    const handRests = () => live.matches(":hover") && matchMedia("(hover: hover)").matches || live.contains(document.activeElement);
    const release = () => { if (held) { held = null; news.hidden = true; live._htmx.ptag = ""; htmx.trigger(live, "refresh"); } };
    document.addEventListener("htmx:before:response", (event) => {
      const { ctx } = event.detail;
      if (ctx.sourceElement !== live || ctx.response.status >= 400) return;
      refreshedAt = Date.now();
    });
    document.addEventListener("htmx:before:swap", (event) => {
      const { ctx } = event.detail;
      if (ctx.sourceElement !== live || ctx.response.status !== 200) return;
      const drawn = new DOMParser().parseFromString(ctx.text, "text/html"), after = cases(drawn);
      const added = [...after.keys()].filter((id) => !$(id)), gone = [...cases(live).keys()].filter((id) => !after.has(id));
      announce(drawn);
      if (news && !held?.released && handRests() && (added.length || gone.length)) {
        event.preventDefault();
        held = { added };
        const red = added.filter((id) => after.get(id).dataset.red === "Emergency").length;
        setText(news, added.length ? `${added.length} new${red ? `, ${red} emergency` : ""}: show` : "The list has changed: show");
        setText($("status"), news.textContent);
        news.hidden = false;
      }
    });
    news?.addEventListener("click", release);
    live.addEventListener("pointerleave", () => { if (!live.contains(document.activeElement)) release(); });
    live.addEventListener("focusout", () => setTimeout(() => { if (!handRests()) release(); }));
    announce(live);
    redFlags(live).forEach((row) => known.add(row.id));
  }

  const isStale = () => live && Date.now() - refreshedAt > Math.max(3 * live.dataset.interval * 1000, 6000);
  setInterval(() => {
    document.querySelectorAll("[data-due]").forEach((due) => {
      const left = new Date(due.dateTime) - Date.now();
      setText(due, left < 0 ? `Overdue ${words(-left)}` : words(left));
      due.className = `due due-${left < 0 ? "overdue" : left <= 5 * MINUTE ? "soon" : "later"}`;
    });
    if ($("clock")) setText($("clock"), new Date().toISOString().slice(11, 16));
    if (!live) return;
    if (isStale()) setText($("stale"), `Not updated since ${new Date(refreshedAt).toTimeString().slice(0, 5)}`);
    $("stale").hidden = !isStale();
    setText($("connection"), isStale() ? "Not connected" : "Connected");
    if (redFlags(live).some((row) => row.dataset.red === "Emergency")) tone();
  }, 1000);
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-act]") && isStale() && !confirm("This page has not been updated. Act on it all the same?")) event.preventDefault();
  });

  $("sound")?.addEventListener("click", (event) => {
    context = context ? (context.close(), null) : new AudioContext();
    event.target.setAttribute("aria-pressed", String(Boolean(context)));
    if ($("test-sound")) $("test-sound").hidden = !context;
  });
  $("test-sound")?.addEventListener("click", () => { rangAt = 0; tone(); });

  const off = $("shortcuts-off");
  if (off) off.checked = localStorage.getItem("shortcuts") === "off";
  off?.addEventListener("change", () => localStorage.setItem("shortcuts", off.checked ? "off" : "on"));
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey || !off || off.checked) return;
    const links = [...document.querySelectorAll("a.ref")], at = links.indexOf(document.activeElement);
    if (event.key === "j") links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === "k") links[Math.max(at - 1, 0)]?.focus();
    else if (event.key === "/") $("search")?.focus();
    else if (event.key === "?") $("shortcuts").showModal();
    else return;
    event.preventDefault();
  });
})();
