-- The script of an HTML report: copying, sorting, filtering, and on paper every indicator unfolded.
-- The page says the same without it. It is allowed by its digest and reads nothing from elsewhere.
-- SPDX-License-Identifier: Apache-2.0
return [[
"use strict";
(function () {
  function all(what, where) {
    return Array.prototype.slice.call((where || document).querySelectorAll(what));
  }

  function copied(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    var area = document.createElement("textarea");
    area.value = text;
    document.body.appendChild(area);
    area.select();
    var good = document.execCommand("copy");
    area.remove();
    return good ? Promise.resolve() : Promise.reject(new Error("copy"));
  }

  all("button[data-copy]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function (event) {
      event.preventDefault();
      copied(button.dataset.copy).then(function () { return "Copied"; }, function () {
        return "Not copied";
      }).then(function (said) {
        button.textContent = said;
        setTimeout(function () { button.textContent = "Copy"; }, 1500);
      });
    });
  });

  var list = document.getElementById("list");
  var form = document.getElementById("tools");
  if (list && form) {
    var body = list.tBodies[0];
    var rows = all("tr", body);
    var words = form.elements.words;
    var verdict = form.elements.verdict;
    var shown = document.getElementById("shown");

    var filter = function () {
      var wanted = words.value.trim().toLowerCase();
      var count = 0;
      rows.forEach(function (row) {
        var fits = (!verdict.value || row.dataset.verdict === verdict.value) &&
          (!wanted || (row.textContent + " " + row.dataset.real).toLowerCase().includes(wanted));
        row.hidden = !fits;
        count += fits ? 1 : 0;
      });
      shown.textContent = count + " of " + rows.length + " shown";
    };

    var key = function (row, column) {
      var cell = row.cells[column];
      return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.toLowerCase();
    };

    all("thead th", list).forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        all("thead th", list).forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        rows.map(function (row, index) {
          return { row: row, key: key(row, column), index: index };
        }).sort(function (a, b) {
          var order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
          return (up ? order : -order) || a.index - b.index;
        }).forEach(function (item) { body.appendChild(item.row); });
      });
    });

    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    words.addEventListener("input", filter);
    verdict.addEventListener("change", filter);
    filter();
  }

  function unfold() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", unfold);
  unfold();

  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = all("details.box:not([open]),details.short:not([open])");
    folded.forEach(function (one) { one.open = true; });
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (one) { one.open = false; });
  });
})();
]]
