{% materialization seed, default %}

  {% set refreshing = should_full_refresh() %}
  {% set existing_relation = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) %}
  {% set was_table = existing_relation is not none and existing_relation.is_table %}
  {% set seed_table = load_agate_table() %}
  {% do store_result('agate_table', response='OK', agate_table=seed_table) %}

  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% if existing_relation is not none and existing_relation.is_view %}
    {% do exceptions.raise_compiler_error('The seed cannot be loaded into ' ~ existing_relation.render() ~ ', which is a view. Drop the view or rename the seed.') %}
  {% endif %}
  {% set preparation = reset_csv_table(model, refreshing, existing_relation, seed_table) if was_table
                       else create_csv_table(model, seed_table) %}

  {% set row_count = seed_table.rows | length %}
  {% set loading = load_csv_rows(model, seed_table) if row_count > 0 else '' %}

  {% set code = 'CREATE' if refreshing else 'INSERT' %}
  {% call noop_statement('main', code ~ ' ' ~ row_count, code, row_count) %}
    {{ get_csv_sql(preparation, loading) }};
  {% endcall %}

  {% set target_relation = this.incorporate(type='table') %}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, refreshing)) %}
  {% do persist_docs(target_relation, model) %}
  {% if refreshing or not was_table %}
    {% do create_indexes(target_relation) %}
  {% endif %}

  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do adapter.commit() %}
  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}

{% endmaterialization %}
