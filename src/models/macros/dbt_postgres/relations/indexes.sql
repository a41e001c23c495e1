{% macro postgres__get_create_index_sql(relation, index_dict) -%}
    {%- set wanted = adapter.parse_index(index_dict) -%}
  create {{ 'unique' if wanted.unique }} index if not exists
  "{{ wanted.render(relation) }}"
  on {{ relation }} {{ 'using ' ~ wanted.type if wanted.type }}
  ({{ wanted.columns | join(', ') }})
{%- endmacro %}

{%- macro postgres__get_drop_index_sql(relation, index_name) -%}
    drop index if exists "{{ relation.schema }}"."{{ index_name }}"
{%- endmacro -%}

{% macro postgres__get_show_indexes_sql(relation) %}
    select
        index_class.relname as name,
        method.amname as method,
        held.indisunique as "unique",
        array_to_string(array_agg(attribute.attname), ',') as column_names
    from pg_index as held
    inner join pg_class as index_class on index_class.oid = held.indexrelid
    inner join pg_am as method on method.oid = index_class.relam
    inner join pg_class as table_class on table_class.oid = held.indrelid
    inner join pg_namespace as namespace on namespace.oid = table_class.relnamespace
    inner join pg_attribute as attribute
        on attribute.attrelid = table_class.oid and attribute.attnum = any(held.indkey)
    where table_class.relkind in ('r', 'm')
      and table_class.relname = '{{ relation.identifier }}'
      and namespace.nspname = '{{ relation.schema }}'
    group by 1, 2, 3
    order by 1, 2, 3
{% endmacro %}
