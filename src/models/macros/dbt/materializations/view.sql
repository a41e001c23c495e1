{%- materialization view, default -%}

  {% set target_relation = this.incorporate(type='view') %}
  {% set existing_relation = load_cached_relation(this) %}
  {% set built_relation = make_intermediate_relation(target_relation) %}
  {% set backup_relation = make_backup_relation(
      target_relation, 'view' if existing_relation is none else existing_relation.type) %}

  {% do run_hooks(pre_hooks, inside_transaction=False) %}
  {% do _drop_leftovers([built_relation, backup_relation]) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% call statement('main') -%}
    {{ get_create_view_as_sql(built_relation, sql) }}
  {%- endcall %}

  {% set replaced = _swap_in(existing_relation, built_relation, target_relation, backup_relation) %}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(replaced, full_refresh_mode=True)) %}
  {% do persist_docs(target_relation, model) %}
  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do adapter.commit() %}

  {% do drop_relation_if_exists(backup_relation) %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}

{%- endmaterialization -%}

{# For adapters with `create or replace view`: the whole materialization, without a second name. #}
{% macro create_or_replace_view() %}
  {% set place = {'database': database, 'schema': schema, 'identifier': model['alias']} %}
  {% set former = adapter.get_relation(**place) %}
  {% set target_relation = api.Relation.create(type='view', **place) %}
  {% set was_view = former is not none and former.is_view %}

  {% do run_hooks(pre_hooks) %}

  {% if former is not none and former.is_table %}
    {% do handle_existing_table(should_full_refresh(), former) %}
  {% endif %}

  {% call statement('main') -%}
    {{ get_create_view_as_sql(target_relation, sql) }}
  {%- endcall %}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(was_view, full_refresh_mode=True)) %}
  {% do run_hooks(post_hooks) %}

  {% do return({'relations': [target_relation]}) %}
{% endmacro %}

{% macro handle_existing_table(full_refresh, old_relation) %}
    {{ adapter.dispatch('handle_existing_table', 'dbt')(full_refresh, old_relation) }}
{% endmacro %}

{% macro default__handle_existing_table(full_refresh, old_relation) %}
    {% do log('Dropping ' ~ old_relation.render() ~ ', which is a ' ~ old_relation.type) %}
    {% do adapter.drop_relation(old_relation) %}
{% endmacro %}
