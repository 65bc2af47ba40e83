// Signs in, asks the address that the page stands at, and shows what was found, the worst first.
// The access token is kept in this variable alone: it is gone with the page.
(function () {
  "use strict";
  var main = document.querySelector("main");
  var alertBox = document.querySelector(".alert");
  var form = document.querySelector("form");
  var again = document.querySelector(".doctor button");
  var said = document.querySelector(".doctor .said");
  var tones = { broken: "broken", "look at it": "look", ok: "ok" };
  var token = null;

  function show(name) {
    document.querySelectorAll("[data-step]").forEach(function (part) {
      part.hidden = part.dataset.step !== name;
    });
    main.classList.toggle("is-examined", name === "findings");
  }

  function warn(words) {
    alertBox.textContent = words;
    alertBox.hidden = !words;
  }

  function signOut(words) {
    token = null;
    show("sign-in");
    warn(words);
    form.querySelector("input").focus();
  }

  function ask(url, options) {
    var common = { cache: "no-store", credentials: "omit" };
    return fetch(url, Object.assign(common, options)).then(function (answer) {
      return answer.json().then(function (body) {
        return { ok: answer.ok, status: answer.status, body: body };
      });
    });
  }

  function waitFor(button, answered, done) {
    warn("");
    button.disabled = true;
    answered
      .then(done, function () {
        warn("No answer came. Try again.");
      })
      .then(function () {
        button.disabled = false;
      });
  }

  function signIn() {
    var body = {};
    form.querySelectorAll("input").forEach(function (field) {
      if (!field.closest("[data-if][hidden]")) body[field.name] = field.value;
    });
    var request = {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify(body),
    };
    waitFor(form.querySelector("button"), ask(form.dataset.sendsTo, request), function (answer) {
      if (!answer.ok) return refused(answer.body);
      token = answer.body.access;
      form.reset();
      examine();
    });
  }

  // What is asked for besides, such as the code of a second factor, is shown once it is asked for.
  function refused(body) {
    var asked = form.querySelector('[data-if="' + CSS.escape(body.code || "") + '"]');
    if (asked) {
      asked.hidden = false;
      asked.querySelector("input").focus();
    }
    var parts = Object.entries(body.errors || {}).map(function (entry) {
      return entry[1].join(" ");
    });
    warn(parts.join(" ") || body.message || "Something went wrong. Try again.");
  }

  function examine() {
    show("findings");
    said.textContent = "Examining, which may take half a minute …";
    var request = {
      headers: {
        Accept: "application/json",
        Authorization: "Bearer " + token,
        "Tillgate-Merchant": main.dataset.merchant,
      },
    };
    waitFor(again, ask(main.dataset.asks, request), function (answer) {
      if (answer.status === 401) return signOut("Your sign-in has ended. Sign in again.");
      if (answer.status === 403) return signOut(answer.body.message);
      if (!answer.ok) {
        said.textContent = "";
        return warn(answer.body.message);
      }
      tell(answer.body.doctor);
    });
  }

  function tell(doctor) {
    var worst = Object.keys(tones);
    var findings = doctor.findings.slice().sort(function (one, other) {
      return worst.indexOf(one.verdict) - worst.indexOf(other.verdict);
    });
    var list = document.querySelector(".findings");
    list.replaceChildren.apply(list, findings.map(line));
    said.textContent = sum(findings);
    said.focus();
    document.querySelector(".doctor .fine").textContent =
      "Examined at " + doctor.examined_at.replace("T", " ").slice(0, 19) + " UTC. ./run doctor says the same at the machine.";
  }

  function sum(findings) {
    function count(verdict) {
      return findings.filter(function (finding) {
        return finding.verdict === verdict;
      }).length;
    }
    var parts = [];
    if (count("broken")) parts.push("Broken: " + count("broken") + ".");
    if (count("look at it")) parts.push("To look at: " + count("look at it") + ".");
    return parts.join(" ") || "All is well.";
  }

  function line(finding) {
    var item = document.createElement("li");
    item.className = "finding finding-" + (tones[finding.verdict] || "look");
    ["verdict", "about", "seen", "fix"].forEach(function (name) {
      if (!finding[name]) return;
      var part = item.appendChild(document.createElement("span"));
      part.className = name;
      part.textContent = finding[name];
    });
    return item;
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    signIn();
  });
  again.addEventListener("click", examine);
  show("sign-in");
})();
