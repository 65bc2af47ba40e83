// Everything works without this file. With it, the page asks for news quietly and reloads only when there is some.
(function () {
  "use strict";
  var LONGEST_WAIT_MS = 30000;
  var main = document.querySelector("main");
  var form = document.querySelector("form.ways");
  var waitMs = 2000;
  var timer = 0;

  function reload() {
    // Without the query that a gateway may have added.
    location.replace(location.pathname);
  }

  function plan() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, waitMs);
    waitMs = Math.min(waitMs * 1.4, LONGEST_WAIT_MS);
  }

  function ask() {
    fetch(main.dataset.news, { cache: "no-store" })
      .then(function (answer) {
        if (!answer.ok) throw new Error(answer.status);
        return answer.json();
      })
      .then(function (news) {
        if (String(news.sequence) !== main.dataset.sequence) reload();
        else plan();
      })
      .catch(plan);
  }

  if (main && main.dataset.news) {
    document.addEventListener("visibilitychange", function () {
      waitMs = 500;
      plan();
    });
    plan();
  }

  if (form) {
    form.addEventListener("submit", function (event) {
      if (form.classList.contains("is-sent")) event.preventDefault();
      form.classList.add("is-sent");
      setTimeout(function () {
        form.classList.remove("is-sent");
      }, 12000);
    });
  }

  document.querySelectorAll("time").forEach(function (time) {
    time.textContent = new Date(time.dateTime).toLocaleString("en-GB", {
      day: "numeric",
      month: "long",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "short",
    });
  });

  // The browser's back button may bring the page back as it was left.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) reload();
  });
})();
