"use strict";
(async () => {
  const $ = (id) => document.getElementById(id);
  const CHECKS = JSON.parse($("checks").textContent);
  const STATUSES = ["passed", "failed", "known", "unsupported", "not_run"];
  const main = $("main");

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  let runs;
  try {
    runs = await unpack($("data").textContent);
  } catch (error) {
    main.innerHTML = `<p class="notice">This browser cannot unpack the report: ${escape(String(error))}</p>`;
    return;
  }
  const [FIRST, PAST] = $("data").dataset.decades.split(",").map(Number);

  // -- what all views share ---------------------------------------------------------------------------------------
  function escape(text) {
    return String(text ?? "").replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  }
  const words = (status) => status.replace("_", " ");
  const name = (run) => run.info.backend.name;

  /** An error as it is printed: two significant digits at most. */
  function number(value) {
    if (value === undefined || value === null) return "";
    if (value === 0) return "0";
    if (value >= 1e300) return "∞";
    return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  }

  /** Cells of one op and check, over dtypes, as one. */
  function merge(cells) {
    const sum = { total: 0, relative: null, histogram: {} };
    for (const status of STATUSES) sum[status] = 0;
    for (const cell of cells) {
      for (const status of STATUSES) sum[status] += cell[status] ?? 0;
      if (cell.relative !== undefined) sum.relative = Math.max(sum.relative ?? 0, cell.relative);
      for (const [decade, count] of Object.entries(cell.histogram ?? {})) sum.histogram[decade] = (sum.histogram[decade] ?? 0) + count;
    }
    for (const status of STATUSES) sum.total += sum[status];
    sum.status = ["failed", "known", "unsupported", "passed"].find((status) => sum[status]) ?? "not_run";
    return sum;
  }

  const SIGNS = { passed: "✓", failed: "✗", known: "≈", unsupported: "n/a", not_run: "–" };

  function shown(sum) {
    if (!sum.total) return "";
    const error = sum.status === "unsupported" || sum.status === "not_run" ? "" : number(sum.relative);
    return sum.status === "passed" && error ? error : `${SIGNS[sum.status]} ${error}`.trim();
  }

  function counts(sum) {
    return STATUSES.filter((status) => sum[status]).map((status) => `${sum[status]} ${words(status)}`).join(", ");
  }

  function histogram(bins, caption) {
    const total = Object.values(bins).reduce((a, b) => a + b, 0);
    if (!total) return "";
    const highest = Math.max(...Object.values(bins));
    const [step, height] = [11, 40];
    let bars = "";
    for (let decade = FIRST; decade < PAST; decade++) {
      const count = bins[decade] ?? 0;
      const x = (decade - FIRST) * step;
      if (count) {
        const size = Math.max(2, (height * Math.log1p(count)) / Math.log1p(highest));
        bars += `<rect class="bar" x="${x}" y="${height - size}" width="${step - 1}" height="${size}"><title>${count} in [1e${decade}, 1e${decade + 1})</title></rect>`;
      }
      if (decade % 5 === 0) bars += `<text x="${x}" y="${height + 10}">1e${decade}</text>`;
    }
    const width = (PAST - FIRST) * step;
    return `<svg viewBox="0 0 ${width} ${height + 12}" width="${width}" style="max-width:100%" role="img" aria-label="${escape(caption)}">${bars}</svg><figcaption>${escape(caption)}</figcaption>`;
  }

  // -- the state, which the address carries -------------------------------------------------------------------------
  const controls = ["search", "status", "backend", "dtype", "check", "family"];
  const wanted = () => Object.fromEntries(controls.map((id) => [id, $(id).value]));

  const ops = new Map(); // op -> backend -> result
  for (const run of runs) {
    for (const op of run.ops ?? []) {
      if (!ops.has(op.op)) ops.set(op.op, new Map());
      ops.get(op.op).set(name(run), op);
    }
  }
  const opNames = [...ops.keys()].sort();

  function says(text, search) {
    const low = text.toLowerCase();
    return search.toLowerCase().split(/\s+/).every((part) => low.includes(part));
  }

  // -- the table of operations ----------------------------------------------------------------------------------------
  function matrix() {
    const want = wanted();
    const checks = Object.keys(CHECKS).filter((check) => !want.check || check === want.check);
    const backends = runs.map(name).filter((backend) => !want.backend || backend === want.backend);
    const rows = [];
    let found = 0;
    for (const op of opNames) {
      const results = ops.get(op);
      const any = results.values().next().value;
      if (want.family && any.family !== want.family) continue;
      if (want.search && !says(`${op} ${any.family} ${any.note ?? ""}`, want.search)) continue;
      const lines = [];
      for (const backend of backends) {
        const result = results.get(backend);
        if (!result) continue;
        const sums = checks.map((check) => merge((result.cells ?? []).filter((cell) => cell.check === check && (!want.dtype || cell.dtype === want.dtype))));
        if (want.status && !sums.some((sum) => (want.status === "passed" ? sum.total && sum.status === "passed" : sum[want.status]))) continue;
        if (want.dtype && !sums.some((sum) => sum.total)) continue;
        lines.push([backend, sums]);
      }
      if (!lines.length) continue;
      found++;
      lines.forEach(([backend, sums], i) => {
        const head = i ? "" : `<a href="#op/${encodeURIComponent(op)}">${escape(op)}</a>`;
        const cells = sums.map((sum) => `<td class="cell ${sum.total ? sum.status : ""}" title="${escape(counts(sum))}">${shown(sum)}</td>`).join("");
        rows.push(`<tr class="${i < lines.length - 1 ? "next" : ""}"><th scope="row">${head}</th><td>${escape(backend)}</td>${cells}</tr>`);
      });
    }
    const heads = checks.map((check) => `<th scope="col" title="${escape(CHECKS[check])}">${escape(check.replaceAll("_", " "))}</th>`).join("");
    $("found").textContent = `${found} of ${opNames.length} operations`;
    return `<div class="scroll"><table id="matrix"><thead><tr><th scope="col">operation</th><th scope="col">backend</th>${heads}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
  }

  // -- one operation ----------------------------------------------------------------------------------------------------
  function scripts(polygrad, reference) {
    const part = (title, text) => (text ? `<div><header><strong>${title}</strong><button type="button" class="copy">Copy</button></header><pre><code>${escape(text)}</code></pre></div>` : "");
    return `<div class="scripts">${part("polygrad", polygrad)}${part("torch", reference)}</div>`;
  }

  function link(reason) {
    return reason.link ? ` <a href="${escape(reason.link)}">${escape(reason.link)}</a>` : "";
  }

  function operation(op) {
    const results = ops.get(op);
    if (!results) return `<p class="notice">There is no operation ${escape(op)} in this report.</p>`;
    const any = results.values().next().value;
    const facts = [["family", any.family], ["declared as", any.form], ["reference", any.reference], ["domain", any.domain], ["note", any.note]]
      .filter(([, value]) => value).map(([key, value]) => `<dt>${key}</dt><dd>${key === "reference" ? `<code>${escape(value)}</code>` : escape(value)}</dd>`).join("");
    let html = `<p><a href="#">← all operations</a></p><h2 id="title">${escape(op)} <small><code>${escape(any.signature ?? "")}</code></small></h2><dl>${facts}</dl>`;
    for (const [backend, result] of results) {
      const cells = result.cells ?? [];
      const rows = cells.map((cell) => {
        const sum = merge([cell]);
        const why = (cell.reasons ?? []).map((reason) => `${reason.count ?? 1} ${words(reason.status)}: ${escape(reason.text)}${link(reason)}`);
        if (cell.tolerance_reason) why.push(`tolerance: ${escape(cell.tolerance_reason)}`);
        return `<tr><td>${escape(cell.dtype)}</td><td title="${escape(CHECKS[cell.check])}">${escape(cell.check.replaceAll("_", " "))}</td><td class="${sum.status}">${escape(counts(sum))}</td><td class="number">${number(cell.relative)}</td><td class="number">${number(cell.ulps)}</td><td class="number">${number(cell.tolerance)}</td><td>${escape(cell.oracle)}</td><td class="wrap">${why.join("<br>")}</td></tr>`;
      }).join("");
      html += `<h3>${escape(backend)} <small>${result.duration ? `${result.duration.toFixed(1)} s` : ""}</small></h3>`;
      html += `<div class="scroll"><table><thead><tr>${["dtype", "check", "samples", "relative error", "ulps", "tolerance", "oracle", "why"].map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead><tbody>${rows}</tbody></table></div>`;
      html += `<figure class="errors">${histogram(merge(cells).histogram, "relative errors of all samples, by decade")}</figure>`;
      for (const cell of cells) {
        for (const failure of cell.failures ?? []) {
          const status = failure.status ?? "failed";
          const verdict = failure.verdict ? ` <strong>${escape(failure.verdict)}</strong>${failure.settled_by ? ` (${escape(failure.settled_by)})` : ""}.` : "";
          html += `<details class="failure"${status === "failed" ? " open" : ""}><summary><span class="count ${status}">${words(status)}</span> ${escape(cell.dtype)}, ${escape(cell.check.replaceAll("_", " "))}, sample ${escape(failure.sample)}</summary><p>${escape(failure.message)}${verdict}</p>${scripts(failure.polygrad, failure.reference)}</details>`;
        }
      }
      for (const [dtype, labels] of Object.entries(result.samples ?? {})) {
        html += `<details><summary>${labels.length} samples in ${escape(dtype)}</summary><ol class="samples">${labels.map((label) => `<li>${escape(label)}</li>`).join("")}</ol></details>`;
      }
    }
    return html;
  }

  // -- scenarios, programs, known differences -----------------------------------------------------------------------------
  function listed(rows, all, what) {
    $("found").textContent = `${rows.length} of ${all} ${what}`;
    return rows.join("") || `<p class="quiet">There are none.</p>`;
  }

  function scenarios() {
    const want = wanted();
    const rows = [];
    let all = 0;
    for (const run of runs) {
      if (want.backend && name(run) !== want.backend) continue;
      for (const item of run.scenarios ?? []) {
        all++;
        if (want.status && item.status !== want.status) continue;
        if (want.search && !says(`${item.name} ${item.group} ${item.document ?? ""}`, want.search)) continue;
        rows.push(`<details><summary><span class="count ${item.status}">${words(item.status)}</span> ${escape(name(run))}: ${escape(item.name)} <small>${escape(item.group)}. ${escape(item.document)}</small></summary>${item.message ? `<p>${escape(item.message)}${link(item)}</p>` : ""}${item.script ? `<pre><code>${escape(item.script)}</code></pre>` : ""}</details>`);
      }
    }
    return listed(rows, all, "scenarios");
  }

  function programs() {
    const want = wanted();
    let html = "";
    for (const run of runs) {
      const found = run.programs;
      if (!found || (want.backend && name(run) !== want.backend)) continue;
      const used = Object.entries(found.ops ?? {}).sort((a, b) => b[1] - a[1]).map(([op, count]) => `${escape(op)} ${count}`).join(", ");
      html += `<h3>${escape(name(run))}</h3><p>${found.generated ?? 0} programs with ${found.steps ?? 0} operations: ${found.passed ?? 0} agree in values, gradients and second-order gradients, ${found.failed ?? 0} do not, ${found.discarded ?? 0} meant nothing on either side, ${found.not_run ?? 0} were not run. ${escape(found.reason)}</p>`;
      if (used) html += `<p class="quiet">Operations used: ${used}.</p>`;
      for (const failure of found.failures ?? []) {
        html += `<details class="failure" open><summary><span class="count failed">${escape(failure.check)}</span> ${escape(failure.message)}</summary>${scripts(failure.polygrad, failure.reference)}</details>`;
      }
    }
    $("found").textContent = "";
    return html || `<p class="quiet">There are none.</p>`;
  }

  function reasons() {
    const want = wanted();
    const found = new Map(); // backend, status, text and link -> ops
    const enter = (run, reason, op) => {
      if (want.status && reason.status !== want.status) return;
      if (want.search && !says(`${reason.text} ${op}`, want.search)) return;
      const key = JSON.stringify([name(run), reason.status, reason.text, reason.link ?? ""]);
      if (!found.has(key)) found.set(key, new Set());
      found.get(key).add(op);
    };
    for (const run of runs) {
      if (want.backend && name(run) !== want.backend) continue;
      for (const op of run.ops ?? []) {
        for (const cell of op.cells ?? []) {
          if ((want.dtype && cell.dtype !== want.dtype) || (want.check && cell.check !== want.check)) continue;
          for (const reason of cell.reasons ?? []) enter(run, reason, op.op);
        }
      }
      for (const item of run.scenarios ?? []) if (item.status === "known") enter(run, { status: "known", text: item.message, link: item.link }, item.name);
    }
    const order = ["known", "failed", "unsupported", "not_run"];
    const rows = [...found].map(([key, set]) => [JSON.parse(key), [...set]]).sort((a, b) => order.indexOf(a[0][1]) - order.indexOf(b[0][1]) || b[1].length - a[1].length);
    const html = rows.map(([[backend, status, text, url], set]) => `<details><summary><span class="count ${status}">${words(status)}</span> ${escape(backend)}: ${escape(text)} <small>${set.length}</small></summary><p>${link({ link: url })} ${set.map((op) => (ops.has(op) ? `<a href="#op/${encodeURIComponent(op)}">${escape(op)}</a>` : escape(op))).join(", ")}</p></details>`);
    return listed(html, html.length, "reasons");
  }

  // -- putting it on the page ------------------------------------------------------------------------------------------------
  const VIEWS = { matrix, scenarios, programs, reasons };
  let view = "matrix";

  function draw() {
    const op = location.hash.startsWith("#op/") ? decodeURIComponent(location.hash.slice(4)) : null;
    $("filters").hidden = $("tabs").hidden = op !== null;
    $("overview").hidden = op !== null;
    main.innerHTML = op === null ? VIEWS[view]() : operation(op);
    for (const button of $("tabs").children) button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }

  $("tabs").addEventListener("click", (event) => {
    if (!event.target.dataset.view) return;
    view = event.target.dataset.view;
    draw();
  });
  let waiting;
  $("filters").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 80);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    draw();
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  });
  main.addEventListener("click", async (event) => {
    if (!event.target.classList.contains("copy")) return;
    const code = event.target.closest("div").querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      event.target.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // no clipboard for this page: at least it is selected
      event.target.textContent = "Selected";
    }
  });
  for (const figure of document.querySelectorAll("figure[data-backend]")) {
    const run = runs.find((candidate) => name(candidate) === figure.dataset.backend);
    figure.innerHTML = histogram(merge((run.ops ?? []).flatMap((op) => op.cells ?? [])).histogram, "relative errors of all samples, by decade");
  }
  draw();
})();
