{% materialization incremental, adapter="duckdb", supported_languages=['sql', 'python'] -%}

  {% set language = model['language'] %}
  {% set existing_relation = load_cached_relation(this) %}
  {% set target_relation = this.incorporate(type='table') %}
  {% set built_relation = make_intermediate_relation(target_relation) %}
  {% set backup_relation = make_backup_relation(
      target_relation, 'table' if existing_relation is none else existing_relation.type) %}

  {% set refreshing = should_full_refresh() or existing_relation.is_view %}
  {% set from_nothing = existing_relation is none or refreshing %}
  {% set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') %}
  {% set partitioned_by = duckdb__get_partitioned_by(target_relation, false) if from_nothing else none %}
  {% set sorted_by = duckdb__get_sorted_by(target_relation, false) if from_nothing else none %}
  {% set in_transaction = not ((partitioned_by or sorted_by) and adapter.is_ducklake(target_relation)) %}

  {% do _drop_leftovers([built_relation, backup_relation]) %}
  {% set to_drop = [] %}
  {% set place = duckdb__dispatch_temporary_relation(target_relation, adapter.batch_id_for_model(model)) %}
  {% if not place.temporary %}
    {% do to_drop.append(place.relation) %}
  {% endif %}

  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% set dropped = [] %}
  {% set swapping = false %}
  {% if from_nothing %}
    {% set new_relation = target_relation %}
    {% if existing_relation is not none %}
      {% if has_foreign_key_constraints(existing_relation) %}
        {% set dropped = drop_relation_for_rebuild(existing_relation) %}
      {% else %}
        {% set new_relation = built_relation %}
        {% set swapping = true %}
      {% endif %}
    {% endif %}
    {% set build_sql = create_table_as(False, new_relation, compiled_code, language, partitioned_by=partitioned_by, sorted_by=sorted_by) %}
  {% else %}
    {% set staging = create_table_as(place.temporary, place.relation, compiled_code, language, partitioned_by=none, sorted_by=none) %}
    {% if language == 'python' %}
      {% call statement('pre', language=language) %}
        {{- staging }}
      {% endcall %}
    {% else %}
      {% do run_query(staging) %}
    {% endif %}
    {% do adapter.expand_target_column_types(from_relation=place.relation, to_relation=target_relation) %}
    {% set arguments = _incremental_arguments(target_relation, place.relation, existing_relation, on_schema_change) %}
    {% set strategy_sql = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') %}
    {% set build_sql = strategy_sql(arguments) %}
    {% set language = 'sql' %}
  {% endif %}

  {% call statement('main', language=language, auto_begin=in_transaction) %}
      {{- build_sql }}
  {% endcall %}

  {% if swapping %}
    {% set dropped = _duckdb_unbind(target_relation) %}
    {% do adapter.rename_relation(target_relation, backup_relation) %}
    {% do adapter.rename_relation(built_relation, target_relation) %}
    {% do to_drop.append(backup_relation) %}
  {% endif %}
  {% do restore_foreign_key_dependents(dropped) %}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, refreshing)) %}
  {% if existing_relation is none or existing_relation.is_view or should_full_refresh() %}
    {% do create_indexes(target_relation) %}
  {% endif %}
  {% do persist_docs(target_relation, model) %}
  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do adapter.commit() %}

  {% for relation in to_drop %}
    {% if not adapter.is_motherduck() %}
      {% do drop_indexes_on_relation(relation) %}
    {% endif %}
    {% do adapter.drop_relation(relation) %}
  {% endfor %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}

{%- endmaterialization %}
