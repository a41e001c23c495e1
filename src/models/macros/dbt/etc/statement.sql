{# Runs the text of the call block and keeps its result under `name`. The text of `main` is the node's run file. #}
{%- macro statement(name=None, fetch_result=False, auto_begin=True, language='sql') -%}
  {%- if execute -%}
    {%- set code = caller() -%}
    {%- if name == 'main' -%}
      {%- do log('Writing the ' ~ language ~ ' that runs for ' ~ model['unique_id']) -%}
      {%- do write(code) -%}
    {%- endif -%}
    {%- if language != 'sql' -%}
      {%- do exceptions.raise_compiler_error("A statement in the language '" ~ language ~ "' cannot run; only 'sql' can") -%}
    {%- endif -%}
    {%- set response, rows = adapter.execute(code, auto_begin=auto_begin, fetch=fetch_result) -%}
    {%- if name is not none -%}
      {%- do store_result(name, response=response, agate_table=rows) -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}

{# The same for what was done by other means: writes the run file and keeps the given result, and runs nothing. #}
{% macro noop_statement(name=None, message=None, code=None, rows_affected=None, res=None) -%}
  {%- set text = caller() -%}
  {%- if name == 'main' -%}
    {%- do log('Writing the SQL that ran for ' ~ model['unique_id']) -%}
    {%- do write(text) -%}
  {%- endif -%}
  {%- if name is not none -%}
    {%- do store_raw_result(name, message=message, code=code, rows_affected=rows_affected, agate_table=res) -%}
  {%- endif -%}
{%- endmacro %}

{% macro run_query(sql) %}
  {% call statement('run_query_statement', fetch_result=true, auto_begin=false) %}
    {{ sql }}
  {% endcall %}
  {% do return(load_result('run_query_statement').table) %}
{% endmacro %}
