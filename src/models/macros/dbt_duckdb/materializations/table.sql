{% materialization table, adapter="duckdb", supported_languages=['sql', 'python'] %}

  {% set language = model['language'] %}
  {% set target_relation = this.incorporate(type='table') %}
  {% set existing_relation = load_cached_relation(this) %}
  {% set built_relation = make_intermediate_relation(target_relation) %}
  {% set backup_relation = make_backup_relation(
      target_relation, 'table' if existing_relation is none else existing_relation.type) %}
  {% set late_layout = adapter.use_ducklake_table_workarounds(target_relation) %}
  {% set in_place = has_foreign_key_constraints(existing_relation) %}

  {% do _drop_leftovers([built_relation, backup_relation]) %}
  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}
  {% set partitioned_by = duckdb__get_partitioned_by(target_relation, false) %}
  {% set sorted_by = duckdb__get_sorted_by(target_relation, false) %}

  {% if in_place %}
    {% set dropped = drop_relation_for_rebuild(existing_relation) if existing_relation is not none else [] %}
    {% set built_relation = target_relation %}
  {% endif %}

  {% call statement('main', language=language) -%}
    {{- create_table_as(False, built_relation, compiled_code, language, partitioned_by=partitioned_by, sorted_by=sorted_by) }}
  {%- endcall %}

  {% if not in_place %}
    {% set dropped = [] %}
    {% if existing_relation is not none %}
      {% set dropped = _duckdb_unbind(existing_relation) %}
      {% do adapter.rename_relation(existing_relation, backup_relation) %}
    {% endif %}
    {% do adapter.rename_relation(built_relation, target_relation) %}
  {% endif %}
  {% do restore_foreign_key_dependents(dropped) %}
  {% do create_indexes(target_relation) %}

  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) %}
  {% if not late_layout %}
    {% do persist_docs(target_relation, model) %}
  {% endif %}
  {% do adapter.commit() %}

  {# early versions of DuckLake forget these at the rename, and refuse comments in the same transaction #}
  {% if late_layout %}
    {% if partitioned_by %}
      {% call statement('reassert_partitioned_by', auto_begin=False) -%}
        {{ duckdb__alter_table_set_partitioned_by(target_relation, partitioned_by) }}
      {%- endcall %}
    {% endif %}
    {% if sorted_by %}
      {% call statement('reassert_sorted_by', auto_begin=False) -%}
        {{ duckdb__alter_table_set_sorted_by(target_relation, sorted_by) }}
      {%- endcall %}
    {% endif %}
    {% do persist_docs(target_relation, model) %}
  {% endif %}

  {% do drop_relation_if_exists(backup_relation) %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}

{# Frees a table for a rename: no index on it, no foreign key to it. Returns the dependents that were dropped. #}
{% macro _duckdb_unbind(relation) %}
  {% do drop_indexes_on_relation(relation) %}
  {% do return(drop_foreign_key_dependents(relation) if relation.is_table and may_be_foreign_key_target(relation) else []) %}
{% endmacro %}
