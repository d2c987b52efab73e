"""The baseline: the same endpoint, form, rules and tables, as an ordinary Flask and Celery service has them.

A request is validated by flask-smorest, stored by a session of the ORM, committed, and handed to Celery by
`.delay(intake_id)`. A task takes one intake, decides, and stores what came of it in a transaction of its own.
Nothing is made slow: the schema is built once, engine and server are set as ours, tasks keep no result, are
acknowledged early and prefetched as Celery does by default. It leaves out what costs us time and an ordinary service
often lacks: no first look at the form for red flags, no lanes, no watchman, no strict reading of JSON, no hash of the
body, no line in the log for each request and task.
"""
