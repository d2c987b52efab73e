#!/bin/bash
# Runs once, on an empty volume: a database for Psoas, owned by a role that is no superuser and may make
# the roles beside it.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
  --set=password="$(cat /run/secrets/database_password)" <<'SQL'
create role psoas login createrole password :'password';
create database psoas owner psoas;
revoke all on database psoas from public;
SQL
