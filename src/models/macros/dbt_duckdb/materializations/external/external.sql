{# A file, and a view that reads it. #}
{% materialization external, adapter="duckdb", supported_languages=['sql', 'python'] %}

  {% set location = render(config.get('location', default=external_location(this, config))) %}
  {% set options = render_write_options(config) %}
  {% set write_options = adapter.external_write_options(location, options) %}
  {% set format = _external_format(config.get('format'), options) %}
  {% set read_location = adapter.external_read_location(location, options) %}

  {% set target_relation = this.incorporate(type='view') %}
  {% set existing_relation = load_cached_relation(this) %}
  {% set rows_relation = make_intermediate_relation(this.incorporate(type='table'), suffix='__dbt_tmp') %}
  {% set built_relation = make_intermediate_relation(target_relation, suffix='__dbt_int') %}
  {% set backup_relation = make_backup_relation(
      target_relation, 'table' if existing_relation is none else existing_relation.type) %}

  {% do _drop_leftovers([built_relation, rows_relation, backup_relation]) %}
  {% do run_hooks(pre_hooks, inside_transaction=False) %}

  {% do run_hooks(pre_hooks, inside_transaction=True) %}

  {% call statement('create_table', language=model['language']) -%}
    {{- create_table_as(False, rows_relation, compiled_code, model['language']) }}
  {%- endcall %}

  {# a file without rows would have no columns to read: one row of nulls stands for them, and the view leaves it out #}
  {% set columns = get_columns_in_relation(rows_relation) | map(attribute='column') | list %}
  {% set empty = run_query('select count(*) from ' ~ rows_relation)[0][0] == 0 %}
  {% if empty %}
    {% set nulls = [] %}
    {% for name in columns %}
      {% do nulls.append('null') %}
    {% endfor %}
    {% do run_query('insert into ' ~ rows_relation ~ ' values (' ~ nulls | join(', ') ~ ')') %}
  {% endif %}
  {% do write_to_file(rows_relation, location, write_options) %}

  {% call statement('main', language='sql') -%}
    create or replace view {{ built_relation }} as (
      select * from read_{{ format }}('{{ read_location }}'{{ _external_read_options(format, options) }})
      {% if empty %}
      where 1
        {%- for name in columns %} and "{{ name }}" is not null{% endfor %}
      {% endif %}
    );
  {%- endcall %}

  {% if existing_relation is not none %}
    {% do adapter.rename_relation(existing_relation, backup_relation) %}
  {% endif %}
  {% do adapter.rename_relation(built_relation, target_relation) %}

  {% do run_hooks(post_hooks, inside_transaction=True) %}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) %}
  {% do persist_docs(target_relation, model) %}
  {% do adapter.commit() %}

  {% do drop_relation_if_exists(backup_relation) %}
  {% do drop_relation_if_exists(rows_relation) %}

  {% set plugin = config.get('plugin') %}
  {% if config.get('glue_register', default=false) %}
    {% set plugin = 'glue|' ~ config.get('glue_database', 'default') %}
  {% endif %}
  {% if plugin is not none %}
    {% do store_relation(plugin, target_relation, location, format, config) %}
  {% endif %}

  {% do run_hooks(post_hooks, inside_transaction=False) %}

  {% do return({'relations': [target_relation]}) %}

{% endmaterialization %}
