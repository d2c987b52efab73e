"""Writes the page that lists every type of problem, from their register."""

from markupsafe import Markup

from services.api.openapi.problem_types import MEMBERS, PROBLEM_TYPES, ProblemType, title_of

PAGE = Markup("""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Psoas: types of problems</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/assets/problems.css">
  </head>
  <body>
    <h1>Types of problems</h1>
    <p>Every error is <code>application/problem+json</code> (RFC 9457). Tell problems apart by <code>type</code>, and be
    ready for types that are not listed here. Where an answer has <code>Retry-After</code>, wait that many seconds;
    send a form again under the same Idempotency-Key. <a href="/docs">All operations</a></p>
    <table>
      <thead><tr><th scope="col">Type</th><th scope="col">Status</th><th scope="col">Title</th>
      <th scope="col">Meaning</th><th scope="col">Send again?</th><th scope="col">Members</th></tr></thead>
      <tbody>
{}
      </tbody>
    </table>
  </body>
</html>
""")
ROW = Markup(
    '<tr id="{}"><th scope="row"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>'
)


def problems_page() -> str:
    """Return the page."""
    return PAGE.format(Markup("\n").join(map(_row, PROBLEM_TYPES)))


def _row(problem: ProblemType) -> Markup:
    statuses = ", ".join(map(str, problem.statuses))
    members = Markup("<br>").join(
        Markup("<code>{}</code>: {}").format(name, MEMBERS.get(name, {}).get("description", "Each with its pointer."))
        for name in problem.members
    )
    return ROW.format(problem.kind, problem.uri, statuses, title_of(problem), problem.meaning, problem.retry, members)
