{% materialization table, default %}

  {% set target_relation = this.incorporate(type='table') %}
  {% set existing_relation = load_cached_relation(this) %}
  {% set built_relation = make_intermediate_relation(target_relation) %}
  {% set backup_relation = make_backup_relation(
      target_relation, 'table' if existing_relation is none else existing_relation.type) %}

  {% do _drop_leftovers([built_relation, backup_relation]) %}
  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% call statement('main') -%}
    {{ get_create_table_as_sql(False, built_relation, sql) }}
  {%- endcall %}

  {% do create_indexes(built_relation) %}
  {% set replaced = _swap_in(existing_relation, built_relation, target_relation, backup_relation) %}

  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(replaced, full_refresh_mode=True)) %}
  {% do persist_docs(target_relation, model) %}
  {% do adapter.commit() %}

  {% do drop_relation_if_exists(backup_relation) %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}
