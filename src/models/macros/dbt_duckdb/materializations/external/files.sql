{% macro location_exists(location) -%}
    {% do return(adapter.location_exists(location)) %}
{% endmacro %}

{% macro write_to_file(relation, location, options) -%}
    {% call statement('write_to_file') -%}
        copy {{ relation }} to '{{ location }}' ({{ options }})
    {%- endcall %}
{% endmacro %}

{% macro store_relation(plugin, relation, location, format, config) -%}
    {% set columns = adapter.get_columns_in_relation(relation) %}
    {% do adapter.store_relation(plugin, relation, columns, location, format, config) %}
{% endmacro %}
