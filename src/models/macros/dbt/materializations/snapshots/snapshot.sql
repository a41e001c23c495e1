{% materialization snapshot, default %}

  {% set unique_key = config.get('unique_key') %}
  {% set exists, target_relation = get_or_create_relation(
      database=model.database, schema=model.schema, identifier=model.get('alias', model.get('name')), type='table') %}
  {% if not target_relation.is_table %}
    {% do exceptions.relation_wrong_type(target_relation, 'table') %}
  {% endif %}

  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% set strategy_macro = strategy_dispatch(config.get('strategy')) %}
  {% set strategy = strategy_macro(model, 'snapshotted_data', 'source_data', model['config'], exists) %}

  {% if not exists %}
    {% set versions_sql = build_snapshot_table(strategy, model['compiled_code']) %}
    {% set build_sql = create_table_as(False, target_relation, versions_sql) %}
  {% else %}
    {% set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() %}
    {% do adapter.assert_valid_snapshot_target_given_strategy(target_relation, columns, strategy) %}

    {% set versions_sql = snapshot_staging_table(strategy, sql, target_relation) %}
    {% set staging_table = build_snapshot_staging_table(strategy, sql, target_relation) %}
    {% do adapter.expand_target_column_types(from_relation=staging_table, to_relation=target_relation) %}

    {% set internal = _snapshot_internal_columns(strategy.unique_key) %}
    {% do create_columns(target_relation, adapter.get_missing_columns(staging_table, target_relation)
                                          | rejectattr('name', 'in', internal) | list) %}
    {% set names = [] %}
    {% for col in adapter.get_columns_in_relation(staging_table) | rejectattr('name', 'in', internal) %}
      {% do names.append(adapter.quote(col.name)) %}
    {% endfor %}
    {% set build_sql = snapshot_merge_sql(target=target_relation, source=staging_table, insert_cols=names) %}
  {% endif %}

  {% do check_time_data_types(versions_sql) %}

  {% call statement('main') %}
      {{ build_sql }}
  {% endcall %}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(exists, full_refresh_mode=False)) %}
  {% do persist_docs(target_relation, model) %}
  {% if not exists %}
    {% do create_indexes(target_relation) %}
  {% endif %}
  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do adapter.commit() %}

  {% if exists %}
    {% do post_snapshot(staging_table) %}
  {% endif %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}

{% endmaterialization %}

{# The columns that the staging table has for its own use, in both of the cases a database may fold names to. #}
{% macro _snapshot_internal_columns(unique_key) %}
  {% set names = ['dbt_change_type', 'dbt_unique_key'] %}
  {% if unique_key | is_list %}
    {% for part in unique_key %}
      {% do names.append('dbt_unique_key_' ~ loop.index) %}
    {% endfor %}
  {% endif %}
  {% do return(names + names | map('upper') | list) %}
{% endmacro %}
