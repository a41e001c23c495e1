{# A parameterized view: `parameters` is a name, a text of names, or a list of names. #}
{% materialization table_function, adapter='duckdb' %}
  {% set target_relation = api.Relation.create(identifier=model['alias'], schema=schema, database=database, type='view') %}
  {% set parameters = config.get('parameters') or [] %}

  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% call statement('main') -%}
    create or replace function {{ target_relation.render() }}(
        {{ parameters if parameters is string or parameters is number else parameters | join(', ') }}
      ) as table (
        {{ sql }});
  {%- endcall %}

  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do persist_docs(target_relation, model) %}
  {% do adapter.commit() %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}
