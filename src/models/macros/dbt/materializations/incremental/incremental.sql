{% materialization incremental, default -%}

  {% set existing_relation = load_cached_relation(this) %}
  {% set target_relation = this.incorporate(type='table') %}
  {% set temp_relation = make_temp_relation(target_relation) %}
  {% set built_relation = make_intermediate_relation(target_relation) %}
  {% set backup_relation = make_backup_relation(
      target_relation, 'table' if existing_relation is none else existing_relation.type) %}

  {% set refreshing = should_full_refresh() or existing_relation.is_view %}
  {% set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') %}

  {% do _drop_leftovers([built_relation, backup_relation]) %}
  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% set strategy_sql = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') %}

  {% set swapping = existing_relation is not none and refreshing %}
  {% if existing_relation is none %}
    {% set indexed_relation = target_relation %}
    {% set build_sql = get_create_table_as_sql(False, target_relation, sql) %}
  {% elif swapping %}
    {% set indexed_relation = built_relation %}
    {% set build_sql = get_create_table_as_sql(False, built_relation, sql) %}
  {% else %}
    {% set indexed_relation = temp_relation %}
    {% do run_query(get_create_table_as_sql(True, temp_relation, sql)) %}
    {% set contract = config.get('contract') %}
    {% if not (contract and contract.enforced) %}
      {% do adapter.expand_target_column_types(from_relation=temp_relation, to_relation=target_relation) %}
    {% endif %}
    {% set build_sql = strategy_sql(
        _incremental_arguments(target_relation, temp_relation, existing_relation, on_schema_change)) %}
  {% endif %}

  {% call statement('main') %}
      {{ build_sql }}
  {% endcall %}

  {% if existing_relation is none or existing_relation.is_view or should_full_refresh() %}
    {% do create_indexes(indexed_relation) %}
  {% endif %}
  {% if swapping %}
    {% do adapter.rename_relation(target_relation, backup_relation) %}
    {% do adapter.rename_relation(built_relation, target_relation) %}
  {% endif %}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, refreshing)) %}
  {% do persist_docs(target_relation, model) %}
  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do adapter.commit() %}

  {% if swapping %}
    {% do adapter.drop_relation(backup_relation) %}
  {% endif %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}

{%- endmaterialization %}

{# What a strategy is given. The columns are those of the new rows where they changed the target, else the target's. #}
{% macro _incremental_arguments(target_relation, temp_relation, existing_relation, on_schema_change) %}
  {% set columns = process_schema_changes(on_schema_change, temp_relation, existing_relation) %}
  {% do return({
      'target_relation': target_relation,
      'temp_relation': temp_relation,
      'unique_key': config.get('unique_key'),
      'dest_columns': columns or adapter.get_columns_in_relation(existing_relation),
      'incremental_predicates': config.get('predicates', none) or config.get('incremental_predicates', none),
  }) %}
{% endmacro %}
