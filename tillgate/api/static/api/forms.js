// Sends what is filled in as JSON, to the address that the page stands at, and shows what comes back.
// The access token is kept in this variable alone: it is gone with the page.
(function () {
  "use strict";
  var main = document.querySelector("main");
  var alertBox = document.querySelector(".alert");
  var token = null;
  var sent = { text: "", key: "" };

  function step(name) {
    return document.querySelector('[data-step="' + name + '"]');
  }

  function show(name) {
    document.querySelectorAll("[data-step]").forEach(function (part) {
      part.hidden = part.dataset.step !== name;
    });
    var first = step(name).querySelector("input, button");
    (first || step(name)).focus();
  }

  function warn(words) {
    alertBox.textContent = words;
    alertBox.hidden = !words;
  }

  function newKey() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (byte) {
      return byte.toString(16).padStart(2, "0");
    }).join("");
  }

  function isLeftOut(field) {
    return Boolean(field.closest("[data-if][hidden]"));
  }

  function filledIn(form) {
    var body = {};
    form.querySelectorAll("input, select").forEach(function (field) {
      if (isLeftOut(field)) return;
      body[field.name] = field.type === "checkbox" ? field.checked : field.value;
    });
    return JSON.stringify(body);
  }

  function clear(form) {
    warn("");
    form.querySelectorAll(".problem").forEach(function (problem) {
      problem.hidden = true;
    });
    form.querySelectorAll("[aria-invalid]").forEach(function (field) {
      field.removeAttribute("aria-invalid");
    });
  }

  // What belongs to a field stands below it; the rest above the form.
  function tell(form, refusal) {
    var rest = [];
    var first = null;
    Object.entries(refusal.errors || {}).forEach(function (entry) {
      var field = form.querySelector('[name="' + CSS.escape(entry[0]) + '"]');
      var problem = document.getElementById(entry[0] + "-problem");
      if (!field || !problem || isLeftOut(field)) {
        rest.push(entry[0] + ": " + entry[1].join(" "));
        return;
      }
      problem.textContent = entry[1].join(" ");
      problem.hidden = false;
      field.setAttribute("aria-invalid", "true");
      first = first || field;
    });
    if (rest.length) warn(rest.join(" "));
    else if (!first) warn(refusal.message || "Something went wrong. Try again.");
    if (first) first.focus();
  }

  // The same content again has the same key: whatever was lost on the way, nothing is done twice.
  function headers(text) {
    var names = { Accept: "application/json", "Content-Type": "application/json" };
    if (token) {
      if (text !== sent.text) sent = { text: text, key: newKey() };
      names.Authorization = "Bearer " + token;
      names["Idempotency-Key"] = sent.key;
    }
    return names;
  }

  function send(form, done) {
    var text = filledIn(form);
    var button = form.querySelector("button");
    clear(form);
    button.disabled = true;
    form.classList.add("is-sent");
    fetch(form.dataset.sendsTo || main.dataset.sendsTo, {
      method: "POST",
      headers: headers(text),
      body: text,
      cache: "no-store",
      credentials: "omit",
    })
      .then(function (answer) {
        return answer.json().then(function (body) {
          if (answer.ok) done(body);
          else refused(form, answer.status, body);
        });
      })
      .catch(function () {
        warn("No answer came. Press the button again: nothing is done twice.");
      })
      .then(function () {
        button.disabled = false;
        form.classList.remove("is-sent");
      });
  }

  function refused(form, status, body) {
    var asked = form.querySelector('[data-if="' + CSS.escape(body.code || "") + '"]');
    if (asked) {
      asked.hidden = false;
      asked.querySelector("input").focus();
    }
    if (status === 401 && token) {
      token = null;
      show("sign-in");
      warn("Your sign-in has ended. Sign in again; what you filled in is still there.");
      return;
    }
    tell(form, body);
  }

  function signedIn(body) {
    token = body.access;
    step("sign-in").querySelector('[name="password"]').value = "";
    show("ask");
  }

  function line(name, value) {
    if (!value) return;
    var row = document.createElement("div");
    var term = row.appendChild(document.createElement("dt"));
    var detail = row.appendChild(document.createElement("dd"));
    term.textContent = name;
    detail.textContent = value;
    detail.className = "reference";
    step("done").querySelector(".receipt").appendChild(row);
  }

  function done(body) {
    var payment = body.payment || {};
    var said = step("done").querySelector(".said");
    said.textContent = said.textContent || body.message;
    line("Account", body.username);
    line("Payment", payment.payment || (typeof payment.id === "string" ? payment.id : ""));
    line("Reference", body.reference || payment.reference);
    line("Recurring", payment.subscription);
    var link = document.querySelector("[data-shows]");
    var url = link && body[link.dataset.shows];
    if (url && /^https?:\/\//.test(url)) {
      link.href = url;
      link.hidden = false;
    }
    token = null;
    show("done");
  }

  document.querySelectorAll("form").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (!form.classList.contains("is-sent")) send(form, form.dataset.step === "sign-in" ? signedIn : done);
    });
    form.querySelectorAll('input[type="checkbox"]').forEach(function (box) {
      var more = form.querySelector('[data-if="' + CSS.escape(box.name) + '"]');
      function follow() {
        if (more) more.hidden = !box.checked;
      }
      box.addEventListener("change", follow);
      follow();
    });
  });
  show(step("sign-in") ? "sign-in" : "ask");
})();
